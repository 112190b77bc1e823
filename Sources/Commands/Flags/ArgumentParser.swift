/// Why a command line cannot be obeyed: one line for standard error. The process exits with 2.
struct UsageError: Error, Hashable, Sendable {
    var message: String
    init(_ message: String) { self.message = message }
}

/// Reads `--flag value`, `--flag=value`, `-o value` and operands against a command's flags.
struct ArgumentParser {
    let command: CommandDescription
    /// Looks up an environment variable.
    let environment: (String) -> String?

    /// Nil: help was asked for.
    func parse(_ arguments: [String]) throws(UsageError) -> ParsedArguments? {
        var parsed = ParsedArguments()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return nil }
            if argument == "--" {
                parsed.operands += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                parsed.operands.append(argument)
                continue
            }
            let (flag, value) = try split(argument)
            guard let text = value ?? (flag.isToggle ? "true" : rest.popFirst()) else {
                throw fault("--\(flag.name) needs a value; allowed: \(flag.allowed)")
            }
            try check(text, flag, named: "--\(flag.name)")
            let before = flag.isRepeatable ? parsed.texts[flag.name] : nil
            parsed.texts[flag.name] = before.map { $0 + "\n" + text } ?? text
            parsed.given.insert(flag.name)
        }
        try addTwins(to: &parsed)
        try checkOperands(parsed.operands)
        return parsed
    }

    private func split(_ argument: String) throws(UsageError) -> (FlagDescription, String?) {
        let isLong = argument.hasPrefix("--")
        let body = argument.drop { $0 == "-" }
        let name = String(isLong ? body.prefix { $0 != "=" } : body.prefix(1))
        let known = command.flags.first { isLong ? $0.name == name : $0.short.map(String.init) == name }
        guard let known else { throw unknown(isLong ? "--\(name)" : "-\(name)") }
        var rest = body.dropFirst(name.count)
        let hasValue = !rest.isEmpty
        if rest.first == "=" { rest = rest.dropFirst() }
        return (known, hasValue ? String(rest) : nil)
    }

    private func check(_ text: String, _ flag: FlagDescription, named name: String) throws(UsageError) {
        guard !flag.accepts(text) else { return }
        let hint = nearest(to: text, among: flag.choices).map { "; did you mean '\($0)'?" } ?? ""
        throw fault("\(name): '\(text)' is not allowed; allowed: \(flag.allowed)\(hint)")
    }

    private func addTwins(to parsed: inout ParsedArguments) throws(UsageError) {
        for flag in command.flags where parsed.texts[flag.name] == nil {
            if let text = environment(flag.environment), !text.isEmpty {
                try check(text, flag, named: "\(flag.environment) (for --\(flag.name))")
                parsed.texts[flag.name] = text
            } else if flag.isRequired {
                throw fault("--\(flag.name) \(flag.placeholder) is required (or \(flag.environment))")
            }
        }
    }

    private func checkOperands(_ operands: [String]) throws(UsageError) {
        guard let accepted = command.operands else {
            guard let first = operands.first else { return }
            throw fault("unexpected argument '\(first)'; this command takes flags only")
        }
        if operands.isEmpty, accepted.isRequired { throw fault("\(accepted.placeholder) is required") }
        if operands.count > accepted.limit { throw fault("unexpected argument '\(operands[accepted.limit])'") }
    }

    private func unknown(_ flag: String) -> UsageError {
        let names = command.flags.map { "--\($0.name)" }
        let hint = nearest(to: flag, among: names).map { "; did you mean '\($0)'?" } ?? ""
        return fault("unknown flag \(flag)\(hint) (allowed: \((names + ["--help"]).joined(separator: ", ")))")
    }

    private func fault(_ message: String) -> UsageError { UsageError("sluice \(command.name): \(message)") }
}
