/// For fish 3 and later.
func fishCompletion(_ commands: [CompletedCommand]) -> String {
    var lines = [
        "# Completion of sluice for fish: sluice completion fish > ~/.config/fish/completions/sluice.fish",
        "function __sluice_is",
        "    set -l words (commandline -opc)",
        "    test (count $words) -gt 1; and test $words[2] = $argv[1]",
        "end",
        "function __sluice_has_no",
        "    test (count (commandline -opc)) -eq $argv[1]",
        "end",
        "complete -c sluice -f",
        "complete -c sluice -n '__sluice_has_no 1' -l version -d 'Print the version'",
        "complete -c sluice -s h -l help -d 'Show help'",
    ]
    for command in commands {
        lines.append(
            "complete -c sluice -n '__sluice_has_no 1' -a \(quoted(command.name)) -d \(quoted(command.summary))")
    }
    for command in commands {
        let condition = "-n '__sluice_is \(command.name)'"
        for option in command.options {
            let names = option.names.map { $0.hasPrefix("--") ? "-l \($0.dropFirst(2))" : "-s \($0.dropFirst())" }
            lines.append(
                "complete -c sluice \(condition) \(names.joined(separator: " ")) \(option.takesValue ? text(option.values) : "-f")"
                    + " -d \(quoted(option.help))")
        }
        guard let operand = command.operand, operand != .anything else { continue }
        if operand == .paths {
            lines.append("complete -c sluice \(condition) -F")
        } else {
            lines.append(
                "complete -c sluice -n '__sluice_is \(command.name); and __sluice_has_no 2' \(text(operand))")
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

private func text(_ values: CompletedCommand.Values) -> String {
    switch values {
    case .words(let words): "-x -a \(quoted(words.joined(separator: " ")))"
    case .paths: "-r -F"
    case .anything: "-x"
    }
}

private func quoted(_ text: String) -> String {
    "'" + text.map { "\\'".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "'"
}
