/// What a command line means. Pure: nothing is read but the arguments and the environment given.
public enum Interpretation: Sendable {
    case run(RunOptions)
    case check(CheckOptions)
    case probe(ProbeOptions)
    case explain(ExplainOptions)
    case inject(InjectOptions)
    case trace(TraceOptions)
    case top(TopOptions)
    case doctor(DoctorOptions)
    case convert(ConvertOptions)
    case echo(EchoOptions)
    case retire(RetireOptions)
    case connections(ConnectionsOptions)
    case status(StatusOptions)
    case version(OutputFormat)
    /// For standard output; exit with 0.
    case print(String)
    /// One line for standard error; exit with 2.
    case refuse(String)

    /// `arguments` without the program's name; `environment` looks up a variable.
    public init(_ arguments: [String], environment: @escaping (String) -> String?) {
        do {
            self = try Interpretation.interpret(arguments, environment)
        } catch {
            self = .refuse(error.message)
        }
    }

    private static func interpret(
        _ arguments: [String], _ environment: @escaping (String) -> String?
    ) throws(UsageError) -> Interpretation {
        guard let first = arguments.first else { return .print(Help.overview) }
        if first == "--help" || first == "-h" { return .print(Help.overview) }
        if first == "--version" { return .version(.text) }
        let command = try find(first)
        let parser = ArgumentParser(command: command, environment: environment)
        guard let parsed = try parser.parse(Array(arguments.dropFirst())) else { return .print(Help.page(command)) }
        switch command.name {
        case "run": return .run(try RunOptions(parsed))
        case "check": return .check(CheckOptions(parsed))
        case "status": return .status(try StatusOptions(parsed))
        case "probe": return .probe(try ProbeOptions(parsed))
        case "explain": return .explain(try ExplainOptions(parsed))
        case "inject": return .inject(try InjectOptions(parsed))
        case "top": return .top(try TopOptions(parsed))
        case "doctor": return .doctor(try DoctorOptions(parsed))
        case "trace": return .trace(try TraceOptions(parsed))
        case "connections": return .connections(try ConnectionsOptions(parsed))
        case "retire": return .retire(try RetireOptions(parsed))
        case "convert": return .convert(try ConvertOptions(parsed))
        case "echo": return .echo(try EchoOptions(parsed))
        case "completion": return .print(try CompletionShell(parsed).script())
        case "version": return .version(parsed.value(VersionFlags.output))
        default:
            guard let topic = parsed.operands.first else { return .print(Help.overview) }
            return .print(Help.page(try find(topic)))
        }
    }

    private static func find(_ name: String) throws(UsageError) -> CommandDescription {
        if let command = CommandDescription.all.first(where: { $0.name == name }) { return command }
        let names = CommandDescription.all.map(\.name)
        let hint = nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError("sluice: unknown command '\(name)'\(hint) (allowed: \(names.joined(separator: ", ")))")
    }
}
