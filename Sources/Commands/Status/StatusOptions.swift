/// Flags and operands of `sluice status`.
public struct StatusOptions: Sendable {
    var filter: StatusFilter
    var remote: RemoteOptions
}

enum StatusFlags {
    static let namespace = Flag<String?>.optionalText(
        "objects-namespace", "NAMESPACE",
        help: "Only objects of this namespace, and what stands above and below them.", short: "n",
        environment: "SLUICE_STATUS_NAMESPACE")

    /// A pod's namespace is written before its name here.
    static let all =
        [namespace.description]
        + RemoteFlags.all.filter { $0.name != RemoteFlags.namespace.description.name }
}

extension CommandDescription {
    static let status = CommandDescription(
        name: "status", summary: "Show what a running gateway serves, and what is wrong with it",
        details: """
            Asks a running sluice for all that it serves: gateways, their listeners, the routes that these serve, the routes'
            backends and the health of their endpoints, and below each what is wrong: ✓ is as it should be, ! deserves
            attention, ✗ does not serve. Then routes that no listener serves, policies, certificates that expire within two
            weeks, and warnings. Exits with 0 whatever it found, and with 1 where nobody answers.
            """,
        examples: [
            ("everything", "sluice status"), ("one gateway, with numbers", "sluice status gateway infra/edge -o wide"),
            ("one route, again and again", "sluice status tcproute infra/redis -w"),
            ("for scripts, from a pod", "sluice status -n infra -o json --pod sluice-system/sluice-0"),
        ],
        flags: StatusFlags.all,
        operands: Operands(placeholder: "KIND NAMESPACE/NAME", isRequired: false, limit: 2))
}

extension StatusOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        filter = StatusFilter(
            object: try StatusOptions.object(arguments.operands), namespace: arguments.value(StatusFlags.namespace))
        remote = try RemoteOptions(arguments, command: "status")
    }

    private static func object(_ operands: [String]) throws(UsageError) -> StatusFilter.Object? {
        guard let word = operands.first else { return nil }
        let kinds = StatusFilter.Object.Kind.allCases.map(\.rawValue)
        guard let kind = StatusFilter.Object.Kind(rawValue: word.lowercased()) else {
            let hint = nearest(to: word, among: kinds).map { "; did you mean '\($0)'?" } ?? ""
            throw UsageError(
                "sluice status: '\(word)' is no kind\(hint) (allowed: \(kinds.joined(separator: ", ")), with NAMESPACE/NAME)"
            )
        }
        let parts = (operands.dropFirst().first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw UsageError("sluice status: \(word) needs NAMESPACE/NAME, such as infra/edge")
        }
        return .init(kind: kind, namespace: String(parts[0]), name: String(parts[1]))
    }
}
