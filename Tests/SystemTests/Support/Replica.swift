internal import Primitives
internal import TestSupport

/// `sluice run` against an API server: one replica of an installation. As a process of this host it binds what Services
/// record in `targetPort`, and a test dials that port, as kube-proxy would.
final class Replica: RunningSluice {
    let name: String
    let program: Program
    let probes: SocketAddress
    let admin: SocketAddress
    private let isInNetworkOfItsOwn: Bool
    private let companions: [any Sendable]

    /// `surrounding` is a command that starts it elsewhere, in a network of its own; `companions` live as long as it.
    init(
        _ name: String, kubeconfig: String, flags: [String] = [], environment: [String: String] = [:],
        surrounding: [String] = [], companions: [any Sendable] = []
    ) throws {
        (self.name, self.companions) = (name, companions)
        isInNetworkOfItsOwn = !surrounding.isEmpty
        probes = SocketAddress(.loopbackV4, try Ports.free())
        admin = SocketAddress(.loopbackV4, try Ports.free())
        let arguments = [
            "run", "--kubeconfig", kubeconfig, "--pod-name", name, "--probe-address", "\(probes)", "--admin-address",
            "\(admin)", "--log-format", "json", "--log-level", "debug",
        ]
        program = try Program(
            name, surrounding + [try Installation.sluice()] + arguments + flags, environment: environment)
    }

    func fetch(_ path: String, from address: SocketAddress) throws -> HTTPAnswer {
        guard isInNetworkOfItsOwn else { return try get(path, from: address) }
        let curl = [try Installation.program("curl"), "-s", "-i", "--max-time", "5", "http://\(address)\(path)"]
        return try HTTPAnswer(try run(try Surrounding.enter(program) + curl).checked())
    }

    /// Whether it writes statuses and Services now.
    var isLeader: Bool { get throws { try metrics().sum("sluice_leader") == 1 } }
}
