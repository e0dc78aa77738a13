#compdef maglevc
# Completions of maglevc for zsh.
#   eval "$(maglevc completions zsh)"
# or write them to a file _maglevc in a directory of $fpath

_maglevc() {
    local -a found
    local text help
    # These take files, which the shell knows.
    if [[ ${words[CURRENT-1]} == --(tls-ca|tls-cert|tls-key|token-file|client-config) ]]; then
        _files
        return
    fi
    while IFS=$'\t' read -r text help; do
        found+=("${text//:/\\:}:${help}")
    done < <(${(Q)words[1]} --complete "${(j: :)words[1,CURRENT-1]} ${PREFIX}" 2>/dev/null)
    _describe -V maglevc found
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _maglevc "$@"
else
    compdef _maglevc maglevc
fi
