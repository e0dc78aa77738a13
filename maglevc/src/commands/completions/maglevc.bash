# Completions of maglevc for bash.
#   eval "$(maglevc completions bash)"
# or write them to /usr/share/bash-completion/completions/maglevc

_maglevc() {
    local line="${COMP_LINE:0:COMP_POINT}" program="${COMP_WORDS[0]/#\~/$HOME}" text help
    local word="${line##*[[:space:]]}"
    # Readline splits words at colons as well; what is before the last one stays as it is.
    local before="${word%"$2"}"
    COMPREPLY=()
    while IFS=$'\t' read -r text help; do
        printf -v text '%q' "${text#"$before"}"
        COMPREPLY+=("$text")
    done < <("$program" --complete "$line" 2>/dev/null)
    # These take files, which the shell knows.
    case $3 in
        --tls-ca | --tls-cert | --tls-key | --token-file | --client-config) compopt -o default 2>/dev/null ;;
    esac
}

complete -F _maglevc maglevc
