/// Shells that `sluice completion` writes a script for.
enum CompletionShell: String, CaseIterable, Sendable {
    case bash
    case zsh
    case fish

    /// The script, made of the commands' own descriptions.
    func script(_ commands: [CommandDescription] = CommandDescription.all) -> String {
        let completed = commands.map { CompletedCommand($0, among: commands) }
        return switch self {
        case .bash: bashCompletion(completed)
        case .zsh: zshCompletion(completed)
        case .fish: fishCompletion(completed)
        }
    }

    init(_ arguments: ParsedArguments) throws(UsageError) {
        let name = arguments.operands.first ?? ""
        guard let shell = CompletionShell(rawValue: name) else {
            let names = CompletionShell.allCases.map(\.rawValue)
            let hint = nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
            throw UsageError(
                "sluice completion: there is no script for '\(name)'\(hint) (allowed: \(names.joined(separator: ", ")))"
            )
        }
        self = shell
    }
}

extension CommandDescription {
    static let completion = CommandDescription(
        name: "completion", summary: "Print a script that completes command lines in a shell",
        details: """
            Prints a script for bash, zsh or fish that completes commands, flags and those of their values that are words or
            paths.
            """,
        examples: [
            ("bash, in ~/.bashrc", "source <(sluice completion bash)"),
            ("zsh, in ~/.zshrc after compinit", "source <(sluice completion zsh)"),
            ("fish", "sluice completion fish > ~/.config/fish/completions/sluice.fish"),
        ],
        operands: Operands(
            placeholder: CompletionShell.allCases.map(\.rawValue).joined(separator: "|"), isRequired: true, limit: 1,
            choices: CompletionShell.allCases.map(\.rawValue)))
}

/// What a shell has to know of a command.
struct CompletedCommand: Sendable {
    /// What a place of the command line may hold.
    enum Values: Hashable, Sendable {
        case words([String])
        case paths
        /// Something that nobody can guess.
        case anything
    }

    struct Option: Sendable {
        /// With hyphens: the long one, then the short one where there is one.
        var names: [String]
        var help: String
        var placeholder: String
        /// False: the flag stands alone.
        var takesValue = true
        var values: Values
    }

    var name: String
    var summary: String
    var options: [Option]
    /// Nil: it takes none.
    var operand: Values?
    var operandPlaceholder = ""
    /// Words stand at the first place only.
    var operandsRepeat = false

    init(_ command: CommandDescription, among all: [CommandDescription]) {
        (name, summary) = (command.name, command.summary)
        options = command.flags.map { flag in
            Option(
                names: ["--\(flag.name)"] + (flag.short.map { ["-\($0)"] } ?? []), help: flag.help,
                placeholder: flag.placeholder, takesValue: !flag.isToggle,
                values: flag.choices.isEmpty ? CompletedCommand.values(flag.placeholder) : .words(flag.choices))
        }
        guard let operands = command.operands else { return }
        (operandPlaceholder, operandsRepeat) = (operands.placeholder, operands.limit > 1 && operands.choices.isEmpty)
        operand =
            operands.placeholder == "COMMAND"
            ? .words(all.map(\.name))
            : operands.choices.isEmpty ? CompletedCommand.values(operands.placeholder) : .words(operands.choices)
    }

    private static func values(_ placeholder: String) -> Values {
        let isPath = placeholder.split(separator: "|").contains { $0 == "FILE" || $0 == "DIR" || $0 == "PATH" }
        return isPath ? .paths : .anything
    }
}
