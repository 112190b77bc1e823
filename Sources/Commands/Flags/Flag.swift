/// A flag of a command: how it is written, what it takes, what holds when it is absent. One declaration serves parsing,
/// `--help` and errors.
struct Flag<Value: Sendable>: Sendable {
    let description: FlagDescription
    let absent: Value
    let parse: @Sendable (String) -> Value?

    /// `allowed` completes the sentence "allowed: …". `fallback` is what help shows as the default.
    init(
        _ name: String, _ placeholder: String, help: String, allowed: String, choices: [String] = [],
        absent: Value, fallback: String? = nil, isRequired: Bool = false, short: Character? = nil,
        environment: String? = nil, isToggle: Bool = false, isRepeatable: Bool = false,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        description = FlagDescription(
            name: name, placeholder: placeholder, help: help, allowed: allowed, choices: choices, fallback: fallback,
            isRequired: isRequired, isToggle: isToggle, isRepeatable: isRepeatable, short: short,
            environment: environment ?? FlagDescription.twin(of: name), accepts: { parse($0) != nil })
        self.absent = absent
        self.parse = parse
    }
}

/// What is known of a flag without the type of its value.
struct FlagDescription: Sendable {
    /// Without the two hyphens.
    let name: String
    /// Stands for the value in help.
    let placeholder: String
    let help: String
    let allowed: String
    /// Where the values are words: all of them.
    let choices: [String]
    let fallback: String?
    let isRequired: Bool
    /// Whether the flag alone means `true`; a value needs an equals sign.
    let isToggle: Bool
    /// Whether it may be given more than once: its texts are joined by newlines.
    let isRepeatable: Bool
    let short: Character?
    /// The environment variable that counts where the flag is not given.
    let environment: String
    let accepts: @Sendable (String) -> Bool

    static func twin(of name: String) -> String {
        "SLUICE_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}

/// The flags a command was given, each checked, and its other arguments.
struct ParsedArguments: Sendable {
    var texts: [String: String] = [:]
    /// Names of the flags that stand on the command line, rather than in the environment.
    var given: Set<String> = []
    var operands: [String] = []

    /// The value given, or what holds without one.
    func value<Value>(_ flag: Flag<Value>) -> Value { texts[flag.description.name].flatMap(flag.parse) ?? flag.absent }
}
