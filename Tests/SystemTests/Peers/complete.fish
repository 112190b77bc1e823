# Loads a completion script and says what it completes, of each line of standard input.
#   fish --no-config complete.fish SCRIPT < LINES
source $argv[1]
while read --local line
    set --local found (complete --do-complete "$line" | string split --fields 1 \t)
    echo "$line|$found"
end
