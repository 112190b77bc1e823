/// For bash 3.2 and later, without the package bash-completion.
func bashCompletion(_ commands: [CompletedCommand]) -> String {
    """
    # Completion of sluice for bash: source <(sluice completion bash)
    _sluice() {
        local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} values= IFS=$'\\n'
        COMPREPLY=()
        # --flag=value comes as three words.
        if [[ $current == = ]]; then
            current=
        elif [[ $before == = ]]; then
            before=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        if ((COMP_CWORD == 1)); then
            values=\(quoted(commands.map(\.name) + ["--help", "--version"]))
        else
            case ${COMP_WORDS[1]} in
    \(commands.map(arm).joined(separator: "\n"))
            esac
        fi
        if [[ $values == '<paths>' ]]; then
            type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -f -- "$current"))
        elif [[ -n $values ]]; then
            COMPREPLY=($(compgen -W "$values" -- "$current"))
        fi
    }
    complete -F _sluice sluice

    """
}

/// Words divided by lines, as IFS is, between apostrophes.
private func quoted(_ words: [String]) -> String {
    "$'" + words.map { $0.map { "\\'".contains($0) ? "\\\($0)" : "\($0)" }.joined() }.joined(separator: "\\n") + "'"
}

private func text(_ values: CompletedCommand.Values) -> String {
    switch values {
    case .words(let words): quoted(words)
    case .paths: "'<paths>'"
    case .anything: "''"
    }
}

private func arm(_ command: CompletedCommand) -> String {
    var lines = ["        \(command.name))", "            case $before in"]
    for option in command.options where option.takesValue {
        lines.append("            \(option.names.joined(separator: " | "))) values=\(text(option.values)) ;;")
    }
    let flags = quoted(command.options.map { $0.names[0] } + ["--help"])
    var rest = "if [[ $current == -* ]]; then values=\(flags)"
    if let operand = command.operand, operand != .anything {
        let isPlace = command.operandsRepeat || operand == .paths ? "else" : "elif ((COMP_CWORD == 2)); then"
        rest += "; \(isPlace) values=\(text(operand))"
    }
    lines += ["            *) \(rest); fi ;;", "            esac", "            ;;"]
    return lines.joined(separator: "\n")
}
