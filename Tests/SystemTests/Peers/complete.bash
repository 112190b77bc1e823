# Loads a completion script and says what it completes: of each line of standard input, divided as bash divides it.
#   bash --norc complete.bash SCRIPT < LINES
source "$1"
complete -p sluice
while IFS= read -r line; do
    # = is a word of its own, as COMP_WORDBREAKS has it.
    spaced=${line//=/ = }
    read -ra COMP_WORDS <<<"$spaced"
    [[ $spaced == *' ' && $spaced != *'= ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _sluice
    printf '%s|%s\n' "$line" "$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ' | sed 's/ $//')"
done
