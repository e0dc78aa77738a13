# Completions of maglevc for fish.
#   maglevc completions fish | source
# or write them to ~/.config/fish/completions/maglevc.fish

complete --command maglevc --no-files --arguments '(maglevc --complete (commandline --current-process --cut-at-cursor | string collect) 2>/dev/null)'

# These take files, which the shell knows.
complete --command maglevc --condition '__fish_prev_arg_in --tls-ca --tls-cert --tls-key --token-file --client-config' --force-files
