public import Primitives

/// What `sluice doctor` was asked to do.
public struct DoctorOptions: Sendable, Hashable {
    public var target: RemoteOptions.Target
    /// Of a gateway in a cluster only the port counts.
    public var probeAddress: SocketAddress
    /// Where the bundle goes: a file that ends in `.tar`, or a folder; nil: a file with a name of its own, here.
    public var bundle: String?
    public var showsClientAddresses: Bool
    public var output: OutputFormat
}

enum DoctorFlags {
    static let probeAddress = Flag<SocketAddress>.address(
        "probe-address", help: "Where the gateway answers /readyz and /metrics. With --pod only its port counts.",
        default: SocketAddress(.loopbackV4, 8081))
    static let clientAddresses = Flag<Bool>.toggle(
        "with-client-addresses", help: "Leave the addresses of clients in the bundle.")
    static let output = Flag<OutputFormat>.choice(
        "output", help: "How to print what was found; docs/reference/cli.md describes the JSON.", default: .text,
        short: "o")
}

extension CommandDescription {
    static let doctor = CommandDescription(
        name: "doctor", summary: "Say what is wrong with a running gateway, and make a bundle for a bug report",
        details: """
            Asks a running gateway for all it tells, looks at the host, and prints what is wrong, the worst first, with what to
            do. All that it looked at goes into a tar archive, or a folder, for a bug report: without keys and tokens, and
            without the addresses of clients unless they are asked for. Look through it before you pass it on: it holds the
            names of your objects and hosts. Exits with 1 when something is wrong.
            """,
        examples: [
            ("the gateway on this host", "sluice doctor"),
            ("a pod's, into a folder", "sluice doctor report --pod sluice-system/sluice-0"),
        ],
        flags: RemoteFlags.target + [
            DoctorFlags.probeAddress.description, DoctorFlags.clientAddresses.description,
            DoctorFlags.output.description,
        ],
        operands: Operands(placeholder: "FILE.tar|DIR", isRequired: false, limit: 1))
}

extension DoctorOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        target = try RemoteOptions.Target(arguments, command: "doctor")
        probeAddress = arguments.value(DoctorFlags.probeAddress)
        bundle = arguments.operands.first
        showsClientAddresses = arguments.value(DoctorFlags.clientAddresses)
        output = arguments.value(DoctorFlags.output)
    }
}
