/// A subcommand as help shows it and as the parser reads it.
struct CommandDescription: Sendable {
    struct Operands: Sendable {
        var placeholder: String
        var isRequired: Bool
        var limit: Int
        /// Where the first is one of some words: all of them.
        var choices: [String] = []
    }

    var name: String
    /// One line, for the list of commands.
    var summary: String
    /// Paragraphs, for the command's own page.
    var details: String
    var examples: [(comment: String, command: String)]
    var flags: [FlagDescription] = []
    var operands: Operands?

    /// Every command, in the order of `sluice help`.
    static let all = [
        run, check, explain, trace, status, connections, top, doctor, probe, convert, inject, retire, echo, completion,
        version, help,
    ]

    static let version = CommandDescription(
        name: "version", summary: "Print the version",
        details: "Prints the version of this binary and of the libraries it runs with.",
        examples: [("", "sluice version"), ("for scripts", "sluice version -o json")],
        flags: [VersionFlags.output.description])

    static let help = CommandDescription(
        name: "help", summary: "Help about a command", details: "Prints the flags and examples of a command.",
        examples: [("", "sluice help run")],
        operands: Operands(placeholder: "COMMAND", isRequired: false, limit: 1))
}

/// How a command prints what it found.
public enum OutputFormat: String, CaseIterable, Sendable {
    case text
    case json
}

enum VersionFlags {
    static let output = Flag<OutputFormat>.choice(
        "output", help: "How to print it.", default: .text, short: "o")
}
