/// What `sluice probe` was asked to do.
public struct ProbeOptions: Sendable {
    public var target: ProbeTarget
    /// A file or folder of manifests; nil: a cluster.
    public var manifests: String?
    public var connection: ConnectionOptions
    public var controllerName: String
    public var gatewayClass: String
    public var output: OutputFormat
}

/// The backends that a user means.
public struct ProbeTarget: Hashable, Sendable {
    /// `Service` or `Backend`; nil: either.
    public var kind: String?
    public var namespace: String
    public var name: String
    /// Nil: every port.
    public var port: UInt16?

    /// Such as `shop/db`, `shop/db:5432`, `service/shop/db`, `backend/shop/legacy`.
    init?(_ text: String) {
        var parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 3 {
            switch parts.removeFirst().lowercased() {
            case "service": kind = "Service"
            case "backend": kind = "Backend"
            default: return nil
            }
        }
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        namespace = String(parts[0])
        let named = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(named.count), !named[0].isEmpty else { return nil }
        name = String(named[0])
        guard named.count == 2 else { return }
        guard let port = UInt16(named[1]), port > 0 else { return nil }
        self.port = port
    }
}

enum ProbeFlags {
    static let manifests = Flag<String?>.optionalText(
        "manifests", "DIR|FILE", help: "Manifests to read, as run would. Without it: a cluster.", short: "f")
    static let output = Flag<OutputFormat>.choice(
        "output", help: "How to print it; docs/reference/cli.md describes the JSON.", default: .text, short: "o")
}

extension CommandDescription {
    static let probe = CommandDescription(
        name: "probe", summary: "Run a backend's health check once, and show each step",
        details: """
            Works out, from a cluster or from manifests, how a backend is checked, and runs that check once against each of
            its endpoints, from where it is called: what is sent, expected and received, and how long each step takes.
            Without a health check it connects, over TLS where connections use it. A route has to lead to the backend.
            Exits with 1 when an endpoint fails, and with 2 when it cannot start.
            """,
        examples: [
            ("a Service's port, or all of its ports", "sluice probe shop/redis:6379"),
            ("what a folder of manifests describes", "sluice probe shop/redis -f /etc/sluice"),
            ("a Service where a Backend has the same name, for scripts", "sluice probe service/shop/db -o json"),
        ],
        flags: [ProbeFlags.manifests.description, ProbeFlags.output.description] + ConnectionFlags.all
            + [RunFlags.controllerName.description],
        operands: Operands(placeholder: "[KIND/]NAMESPACE/BACKEND[:PORT]", isRequired: true, limit: 1))
}

extension ProbeOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        let operand = arguments.operands.first ?? ""
        guard let target = ProbeTarget(operand) else {
            throw UsageError(
                "sluice probe: '\(operand)' names no backend (allowed: NAMESPACE/BACKEND, NAMESPACE/BACKEND:PORT, and "
                    + "service/ or backend/ before either)")
        }
        self.target = target
        manifests = arguments.value(ProbeFlags.manifests)
        connection = ConnectionOptions(arguments)
        controllerName = try checkedControllerName(arguments, command: "probe")
        gatewayClass = arguments.value(ConnectionFlags.gatewayClass) ?? "sluice"
        output = arguments.value(ProbeFlags.output)
    }
}
