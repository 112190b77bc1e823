internal import Platform
internal import Primitives
internal import TestAPIServer
internal import TestSupport
internal import Testing

/// An installation whose replica serves 100 connections under traffic, for the tests of faults; and a second route,
/// `probe`, by which they see whether changes still arrive.
final class ServedCluster: Sendable {
    let installation: TestInstallation
    let replica: Replica
    let leader: Replica?
    let front: HTTP2Front?
    private let folder: TemporaryDirectory
    private let clients: SteadyClients
    private let steady: EchoBackend
    private let colours: [EchoBackend]
    private let probePort: UInt16
    private let changes = Locked(0)

    /// How the replica reaches its API server.
    enum Way: String, CaseIterable {
        case clear = "HTTP/1.1 in clear"
        case front = "TLS and HTTP/2, by nghttpx"
    }

    /// Everything towards the API server is this much faster; in the nightly run nothing is.
    static let clock = Host.environment("SLUICE_TEST_NIGHTLY") == nil ? 0.02 : 1.0

    static var environment: [String: String] { ["SLUICE_TEST_CLOCK_FACTOR": "\(clock)"] }

    /// `leader`: made before the replica, which then does not lead.
    init(_ way: Way = .clear, leader: (TestInstallation) throws -> Replica? = { _ in nil }) throws {
        let installation = try TestInstallation()
        let folder = try TemporaryDirectory()
        let front = way == .front ? try HTTP2Front(before: installation.server.address) : nil
        let authorityFile = try folder.write(front?.authorityPEM ?? "", to: "ca.crt")
        (self.installation, self.folder, self.front) = (installation, folder, front)
        steady = try EchoBackend("steady")
        colours = [try EchoBackend("blue"), try EchoBackend("green")]
        self.leader = try leader(installation)
        replica = try installation.replica(
            kubeconfig: try front.map { try installation.kubeconfig(through: $0.url, authorityFile: authorityFile) },
            environment: ServedCluster.environment)
        try replica.waitUntilReady()
        let (port, probePort) = try ServedCluster.serve(installation, replica, steady: steady, probe: colours[0])
        self.probePort = probePort
        clients = try SteadyClients(port: port, count: 100)
    }

    /// Replaces the authority that the replica verifies its API server against.
    func trust(_ authorityPEM: String) throws { try folder.replace("ca.crt", with: authorityPEM) }

    /// Applies both routes and waits until they are served by `replica`; returns their bound ports.
    static func serve(
        _ installation: TestInstallation, _ replica: Replica, steady: EchoBackend, probe: EchoBackend
    ) throws -> (steady: UInt16, probe: UInt16) {
        try installation.server.put(
            yaml: ClusterManifest.route("steady", port: 9000)
                + "---\n" + ClusterManifest.route("probe", port: 9001)
                + "---\n" + ClusterManifest.service("steady", address: address, port: steady.port)
                + "---\n" + ClusterManifest.service("probe", address: address, port: probe.port))
        func served(_ gateway: String, _ port: UInt16, by backend: String) throws -> UInt16 {
            try replica.program.wait(for: "an answer of \(backend)") {
                guard let bound = try installation.kubectl.boundPort(of: gateway, port: port),
                    let client = try? PlainClient(port: bound),
                    (try? Greeting.receive(from: client))?.backend == backend
                else { return nil }
                return bound
            }
        }
        return (
            try served("steady", 9000, by: steady.name), try served("probe", 9001, by: probe.name)
        )
    }

    /// Of this host, and not loopback.
    static let address = Host.localAddresses.first { !$0.isLoopback && $0.isV4 } ?? .loopbackV4

    /// Points the probe's Service at the other backend, by the server's own hand.
    func change() throws {
        let number = changes.withLock { changes in
            changes += 1
            return changes
        }
        try installation.server.put(
            yaml: ClusterManifest.service(
                "probe", address: ServedCluster.address, port: colours[number % 2].port))
    }

    /// Whether new connections go where the last change says.
    var isUpToDate: Bool {
        let expected = colours[changes.withLock { $0 } % 2].name
        return (try? Greeting.receive(from: try PlainClient(port: probePort)))?.backend == expected
    }

    func waitUntilUpToDate(within deadline: Duration = .seconds(20)) throws {
        _ = try replica.program.wait(for: "the last change", within: deadline) { isUpToDate ? true : nil }
    }

    /// A change arrives.
    func expectChangesArrive(within deadline: Duration = .seconds(20)) throws {
        try change()
        try waitUntilUpToDate(within: deadline)
    }

    /// Ready, and not disturbed in any way that a client could notice.
    func expectStillServing(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let ready = try replica.probe("/readyz?verbose")
        #expect(ready.status == 200, "\(ready.body)", sourceLocation: sourceLocation)
        #expect(try replica.probe("/livez").status == 200, sourceLocation: sourceLocation)
    }

    /// Ends the clients, who must have noticed nothing, and the replica.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectStillServing(sourceLocation: sourceLocation)
        // Enough traffic to have noticed something.
        try replica.waitForMetrics("traffic", within: .seconds(20)) {
            $0.sum("sluice_tcp_connections_opened_total", ["route": "steady"]) > 150
        }
        let report = try clients.expectUndisturbed(sourceLocation: sourceLocation)
        #expect(report.rounds > 100, sourceLocation: sourceLocation)
        let metrics = try replica.metrics()
        #expect(metrics.sum("sluice_config_sessions_disrupted_total") == 0, sourceLocation: sourceLocation)
        try replica.stop(sourceLocation: sourceLocation)
    }
}
