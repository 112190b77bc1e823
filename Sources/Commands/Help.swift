/// The texts of `sluice help`.
enum Help {
    static var overview: String {
        let width = CommandDescription.all.map(\.name.count).max() ?? 0
        let commands = CommandDescription.all.map { "  \(padded($0.name, width))   \($0.summary)\n" }.joined()
        return """
            Sluice is a TCP and TLS gateway for the Kubernetes Gateway API: it reads Gateways, routes and backends, and
            moves the streams itself.

            Usage:
              sluice COMMAND [flags]

            Commands:
            \(commands)
            Use "sluice help COMMAND" for the flags and examples of a command.

            """
    }

    static func page(_ command: CommandDescription) -> String {
        var text = command.details + "\n\nUsage:\n  \(usage(command))\n"
        if !command.examples.isEmpty {
            text += "\nExamples:\n"
            for example in command.examples {
                if !example.comment.isEmpty { text += "  # \(example.comment)\n" }
                text += "  \(example.command)\n"
            }
        }
        if !command.flags.isEmpty {
            text += "\nFlags:\n" + command.flags.map(entry).joined()
            text += """

                A flag that is not given is taken from the environment variable in brackets. Both --flag value and
                --flag=value are understood.

                """
        }
        return text
    }

    private static func usage(_ command: CommandDescription) -> String {
        var words = ["sluice", command.name]
        if let operands = command.operands {
            let name = operands.placeholder + (operands.limit > 1 ? "…" : "")
            words.append(operands.isRequired ? name : "[\(name)]")
        }
        words += command.flags.filter(\.isRequired).map { "--\($0.name) \($0.placeholder)" }
        if command.flags.contains(where: { !$0.isRequired }) { words.append("[flags]") }
        return words.joined(separator: " ")
    }

    private static func entry(_ flag: FlagDescription) -> String {
        let short = flag.short.map { "-\($0), " } ?? "    "
        let value =
            if let fallback = flag.fallback {
                "default \(fallback)"
            } else {
                flag.isRequired ? "required" : "optional"
            }
        let text = wrapped("\(flag.help) (\(value)) [\(flag.environment)]", indent: "          ", width: 118)
        return "  \(short)--\(flag.name)\(flag.isToggle ? "" : " " + flag.placeholder)\n\(text)"
    }

    /// Lines of at most `width` characters, each ended; a longer word has a line of its own.
    private static func wrapped(_ text: String, indent: String, width: Int) -> String {
        var lines = ""
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent.count + line.count + 1 + word.count > width {
                lines += indent + line + "\n"
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + indent + line + "\n"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
