/// What `sluice check` was asked to do.
public struct CheckOptions: Sendable, Hashable {
    /// Files and folders.
    public var paths: [String]
    public var output: OutputFormat
    public var controllerName: String
    public var gatewayClass: String
    /// Which zone it would run in; nil: not said.
    public var zone: String?
}

enum CheckFlags {
    static let output = Flag<OutputFormat>.choice(
        "output", help: "How to print it; docs/reference/cli.md describes the JSON.", default: .text, short: "o")
    static let gatewayClass = Flag<String?>.objectName(
        "gateway-class", help: "The class that needs no GatewayClass among the manifests.", fallback: "sluice")
}

extension CommandDescription {
    static let check = CommandDescription(
        name: "check", summary: "Translate manifests without serving, and say what would serve",
        details: """
            Reads manifests as run would, and prints each object with its conditions, the listeners and routes that would
            serve, and every problem with its file, line and field. Unknown fields are errors here. Exits with 1 when
            anything is not accepted, and with 2 when it cannot start.
            """,
        examples: [
            ("a folder", "sluice check examples/quickstart"),
            ("several files, for scripts", "sluice check gateway.yaml routes.yaml -o json"),
        ],
        flags: [
            CheckFlags.output.description, RunFlags.controllerName.description, CheckFlags.gatewayClass.description,
            RunFlags.zone.description,
        ],
        operands: Operands(placeholder: "FILE|DIR", isRequired: true, limit: .max))
}

extension CheckOptions {
    init(_ arguments: ParsedArguments) {
        paths = arguments.operands
        output = arguments.value(CheckFlags.output)
        controllerName = arguments.value(RunFlags.controllerName)
        gatewayClass = arguments.value(CheckFlags.gatewayClass) ?? "sluice"
        zone = arguments.value(RunFlags.zone)
    }
}
