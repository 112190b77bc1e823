/// For zsh 5 and its completion system (compinit), sourced or as a file `_sluice` in fpath.
func zshCompletion(_ commands: [CompletedCommand]) -> String {
    let names = commands.map { "        \(quoted("\(escaped($0.name)):\($0.summary)"))" }
    return """
        #compdef sluice
        # Completion of sluice for zsh: source <(sluice completion zsh), after compinit.
        _sluice() {
            local context state state_descr line
            typeset -A opt_args
            local -a commands
            commands=(
        \(names.joined(separator: "\n"))
            )
            _arguments -C '(- *)'{-h,--help}'[Show help]' '(- *)--version[Print the version]' \\
                '1: :->command' '*:: :->argument'
            case $state in
            command) _describe -t commands 'command' commands ;;
            argument)
                case $words[1] in
        \(commands.map(arm).joined(separator: "\n"))
                esac
                ;;
            esac
        }
        if [[ $funcstack[1] == _sluice ]]; then
            _sluice "$@"
        else
            compdef _sluice sluice
        fi

        """
}

/// Between apostrophes.
private func quoted(_ text: String) -> String {
    "'" + text.map { $0 == "'" ? "'\\''" : "\($0)" }.joined() + "'"
}

/// What stands in a part of a specification.
private func escaped(_ text: String) -> String {
    text.map { ":[]()\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
}

private func action(_ values: CompletedCommand.Values) -> String {
    switch values {
    case .words(let words): "(\(words.map { escaped($0).replacing(" ", with: "\\ ") }.joined(separator: " ")))"
    case .paths: "_files"
    case .anything: " "
    }
}

private func arm(_ command: CompletedCommand) -> String {
    var specifications = ["'(- *)'{-h,--help}'[Show help]'"]
    for option in command.options {
        let value = option.takesValue ? ":\(escaped(option.placeholder)):\(action(option.values))" : ""
        let rest = "[\(escaped(option.help))]\(value)"
        let (plus, equals) = option.takesValue ? ("+", "=") : ("", "")
        if option.names.count > 1 {
            let names = option.names[1...].map { "\($0)\(plus)" } + ["\(option.names[0])\(equals)"]
            specifications.append(
                "'(\(option.names.joined(separator: " ")))'{\(names.joined(separator: ","))}\(quoted(rest))")
        } else {
            specifications.append(quoted("\(option.names[0])\(equals)\(rest)"))
        }
    }
    if let operand = command.operand {
        let place = command.operandsRepeat ? "*" : "1"
        specifications.append(quoted("\(place):\(escaped(command.operandPlaceholder)):\(action(operand))"))
    }
    let indent = "                "
    return "        \(command.name))\n\(indent)_arguments "
        + specifications.joined(separator: " \\\n\(indent)    ") + "\n\(indent);;"
}
