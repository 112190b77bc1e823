# Types each line of standard input, and a tab, into an interactive zsh that has loaded a completion script, and says what stands
# there then.
#   zsh -f complete.zsh SCRIPT FILE-TO-USE < LINES
zmodload zsh/zpty
export TERM=xterm
zpty shell zsh -f -i
zpty -w shell "PS1= RPS1=; autoload -Uz compinit; compinit -u -D; source $1; setopt no_beep"
zpty -w shell "show() { print -r -- \"\$BUFFER\" > $2 }; zle -N show; bindkey '^X' show"
while IFS= read -r line; do
    : > $2
    zpty -w -n shell "$line"$'\t\x18'
    while [[ ! -s $2 ]]; do sleep 0.02; done
    print -r -- "$line|$(<$2)"
    zpty -w -n shell $'\x15'
done
zpty -d shell
