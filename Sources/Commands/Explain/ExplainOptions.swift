internal import Inspection
internal import Primitives

/// How `explain` and `trace` print what they found.
public enum ExplainFormat: String, CaseIterable, Sendable {
    case text
    case json
    case yaml
}

/// What `sluice explain` was asked to do.
public struct ExplainOptions: Sendable {
    /// Of ``Inspection/ExplainedKind``.
    public var kind: String
    public var namespace: String
    public var name: String
    public var inspected: InspectionOptions
}

/// What `sluice trace` was asked to do.
public struct TraceOptions: Sendable {
    public var port: UInt16
    public var serverName: String?
    public var client: String?
    public var alpn: [String]
    public var address: String?
    public var inspected: InspectionOptions
}

/// Where to look, and how to print it.
public struct InspectionOptions: Sendable {
    /// A file or folder of manifests; nil: what runs.
    public var manifests: String?
    /// Whom to ask what runs.
    public var target: RemoteOptions.Target
    public var controllerName: String
    public var gatewayClass: String
    public var output: ExplainFormat

    init(_ arguments: ParsedArguments, command: String) throws(UsageError) {
        manifests = arguments.value(ExplainFlags.manifests)
        target = try RemoteOptions.Target(arguments, command: command)
        controllerName = try checkedControllerName(arguments, command: command)
        gatewayClass = arguments.value(CheckFlags.gatewayClass) ?? "sluice"
        output = arguments.value(ExplainFlags.output)
    }
}

enum ExplainFlags {
    static let manifests = Flag<String?>.optionalText(
        "manifests", "DIR|FILE", help: "Manifests to read in place of asking what runs.", short: "f",
        environment: "SLUICE_EXPLAIN_MANIFESTS")
    static let output = Flag<ExplainFormat>.choice(
        "output", help: "How to print it; docs/reference/cli.md describes the JSON.", default: .text, short: "o")
    static let namespace = Flag<String?>.optionalText(
        "object-namespace", "NAMESPACE", help: "The object's namespace, where its name does not say. Else: default.",
        short: "n")
    static let shared = [
        manifests.description, output.description, RunFlags.controllerName.description,
        CheckFlags.gatewayClass.description,
        RemoteFlags.adminAddress.description, RemoteFlags.pod.description, RemoteFlags.deployment.description,
    ]
}

enum TraceFlags {
    static let port = Flag<Int>.integer(
        "port", in: 1...65_535, help: "What the client dials.", default: 0, isRequired: true,
        environment: "SLUICE_TRACE_DIALLED")
    static let serverName = Flag<String?>.optionalText("sni", "NAME", help: "The server name in its ClientHello.")
    static let client = Flag<String?>.address(
        "from", help: "Who connects. Behind a load balancer: whom its header names.")
    static let alpn = Flag<String?>.optionalText(
        "alpn", "PROTOCOL,…", help: "Application protocols that it offers, best first.")
    static let address = Flag<String?>.address(
        "listener-address", help: "What it connects to, where listeners have addresses of their own.")
}

extension Flag where Value == String? {
    /// An IP address, or nothing.
    fileprivate static func address(_ name: String, help: String) -> Flag {
        Flag(
            name, "IP", help: help, allowed: "an IP address such as 10.0.0.7 or 2001:db8::7", absent: nil,
            parse: { IPAddress($0) == nil ? nil : .some($0) })
    }
}

extension CommandDescription {
    static let explain = CommandDescription(
        name: "explain", summary: "Say why an object serves traffic, or why not, link by link",
        details: """
            Walks from the Gateway to the endpoints and says of each link whether it holds: the object, the field that decides,
            the reason that connections are refused with, and what to do; then the values of policies that hold, with where
            they come from. KIND is gateway, listener (NS/GATEWAY/LISTENER), listenerset, tcproute, tlsroute, service, backend,
            clientpolicy, backendpolicy, backendtlspolicy, gatewayclass or secret, in any case, or a short name such as gw, tcp,
            tls, svc, cp, bp. Exits with 1 when a link is broken.
            """,
        examples: [
            ("why does this route not work?", "sluice explain tcproute infra/redis"),
            ("the same, written as kubectl does", "sluice explain tcproute/redis -n infra"),
            ("manifests before they are applied", "sluice explain gw infra/edge --manifests manifests/"),
        ],
        flags: ExplainFlags.shared + [ExplainFlags.namespace.description],
        operands: Operands(
            placeholder: "KIND [NAMESPACE/]NAME", isRequired: true, limit: 2,
            choices: ExplainedKind.allCases.map(\.rawValue)))

    static let trace = CommandDescription(
        name: "trace", summary: "Say what a connection would meet, without making it",
        details: """
            Which listener would take the connection, which rules let it in, which route, backends and endpoints it would come to,
            or what it would be refused with. What only a real connection shows, such as a client's certificate, is said to be
            open. Exits with 1 when it would be refused.
            """,
        examples: [
            ("a database client", "sluice trace --port 5432 --sni orders.example.com --from 10.1.2.3"),
            ("manifests before they are applied", "sluice trace --port 6379 --manifests manifests/"),
        ],
        flags: [
            TraceFlags.port.description, TraceFlags.serverName.description, TraceFlags.client.description,
            TraceFlags.alpn.description, TraceFlags.address.description,
        ] + ExplainFlags.shared)
}

extension ExplainOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        var operands = arguments.operands
        // kubectl's KIND/NAME.
        if operands.count == 1, let slash = operands[0].firstIndex(of: "/") {
            operands = [String(operands[0][..<slash]), String(operands[0][operands[0].index(after: slash)...])]
        }
        guard operands.count == 2, !operands[1].isEmpty else {
            throw UsageError("sluice explain: KIND NAMESPACE/NAME is required, or KIND/NAME -n NAMESPACE")
        }
        guard let known = ExplainedKind(operands[0]) else {
            let near = ExplainedKind.nearest(to: operands[0]).map { "; did you mean '\($0.rawValue)'?" } ?? ""
            let allowed = ExplainedKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("sluice explain: '\(operands[0])' is no kind\(near) (allowed: \(allowed))")
        }
        kind = known.rawValue
        inspected = try InspectionOptions(arguments, command: "explain")
        let given = arguments.value(ExplainFlags.namespace)
        var parts = operands[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // A listener is named by its Gateway, one of a ListenerSet by more.
        let isWhole = known == .listener ? parts.count > 2 || given == nil : parts.count == 2
        if isWhole, parts.count > 1, !known.isClusterScoped {
            let first = parts.removeFirst()
            if let given, given != first {
                throw UsageError("sluice explain: namespace \(given) and \(operands[1]) contradict each other")
            }
            namespace = first
        } else {
            namespace = known.isClusterScoped ? "" : given ?? "default"
        }
        name = parts.joined(separator: "/")
        guard !parts.contains(""), known == .listener ? parts.count > 1 : parts.count == 1 else {
            throw UsageError(
                "sluice explain: '\(operands[1])' names no \(known.rawValue) (allowed: "
                    + (known == .listener ? "NAMESPACE/GATEWAY/LISTENER" : "NAMESPACE/NAME") + ")")
        }
    }
}

extension TraceOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        port = UInt16(clamping: arguments.value(TraceFlags.port))
        serverName = arguments.value(TraceFlags.serverName)
        client = arguments.value(TraceFlags.client)
        alpn = (arguments.value(TraceFlags.alpn) ?? "").split(separator: ",").map(String.init)
        address = arguments.value(TraceFlags.address)
        inspected = try InspectionOptions(arguments, command: "trace")
    }
}
