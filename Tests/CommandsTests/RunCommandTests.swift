import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("run", .timeLimit(.minutes(1)))
struct RunCommandTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write(RunCommandTests.gateway(port: 9000), to: "gateway.yaml")
    }

    private static func gateway(port: Int) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge}
        spec:
          gatewayClassName: sluice
          listeners: [{name: plain, protocol: TCP, port: \(port)}]
        """
    }

    @Test("it serves the folder, is ready, and shows what it runs")
    func serves() throws {
        let gateway = try RunningGateway(folder: folder.path)
        #expect(gateway.dataPlane.wait { $0.applied.last?.listeners.first?.bindings.map(\.port) == [9000] })
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        #expect(try gateway.probe("/livez").hasPrefix("HTTP/1.1 200"))
        let metrics = try gateway.probe("/metrics")
        for part in [
            "sluice_build_info{version=\"\(sluiceVersion)\",commit=\"\(Host.buildCommit)\",tls_library=\"OpenSSL",
            "sluice_config_generation 1",
            "fake_engine 1", "sluice_drain_active 0", "process_open_fds ",
        ] { #expect(metrics.contains(part), "\(part)") }
        let config = try gateway.admin("/config")
        #expect(config.contains("\"address\" : \"*:9000\""))
        #expect(config.contains("\"from\" : \"\(folder.path)\",\n    \"kind\" : \"manifests\""), "\(config)")
        try folder.write(RunCommandTests.gateway(port: 9001), to: "gateway.yaml")
        #expect(gateway.dataPlane.wait { $0.applied.last?.listeners.first?.bindings.map(\.port) == [9001] })
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
        #expect(gateway.dataPlane.wait { $0.isDraining && $0.isStopped })
    }

    @Test("SIGTERM leaves the listeners open for the accept grace while /readyz says no")
    func grace() throws {
        let gateway = try RunningGateway(folder: folder.path, "--accept-grace", "1h")
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        gateway.signals.send(.hangup)
        gateway.signals.send(.terminate)
        #expect(
            try waitUntil { try gateway.probe("/readyz").contains("shutting down: accepting for the accept grace") })
        #expect(gateway.dataPlane.state.update { !$0.isDraining })
        gateway.signals.send(.terminate)
        #expect(try gateway.exitCode() == 143)
        #expect(gateway.log.entries.contains { $0.message.hasPrefix("SIGHUP ignored") })
    }

    @Test("with keep, /readyz says yes during the grace and no while draining")
    func keep() throws {
        let gateway = try RunningGateway(
            folder: folder.path, "--accept-grace", "1s", "--readiness-on-shutdown", "keep")
        gateway.dataPlane.update { $0.connections = 1 }
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        gateway.signals.send(.terminate)
        #expect(gateway.log.waitForEntry { $0.message == "shutting down" } != nil)
        #expect(try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200"))
        #expect(gateway.dataPlane.wait { $0.isDraining })
        #expect(try gateway.probe("/readyz").contains("shutting down: draining"))
        gateway.dataPlane.update { $0.connections = 0 }
        #expect(try gateway.exitCode() == 0)
    }

    @Test("SIGINT drains at once, and the drain ends with the last connection")
    func drained() throws {
        let gateway = try RunningGateway(folder: folder.path)
        gateway.dataPlane.update { $0.connections = 2 }
        gateway.signals.send(.interrupt)
        #expect(gateway.dataPlane.wait { $0.isDraining })
        #expect(try gateway.probe("/metrics").contains("sluice_drain_connections_remaining 2\n"))
        gateway.dataPlane.update { $0.connections = 0 }
        #expect(try gateway.exitCode() == 0)
        #expect(gateway.log.entries.last?.text("result") == "drained")
    }

    @Test("the deadline ends a drain that does not end, and the log says how many were left")
    func deadline() throws {
        let gateway = try RunningGateway(folder: folder.path, "--drain-deadline", "20ms")
        gateway.dataPlane.update { $0.connections = 3 }
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
        #expect(gateway.log.entries.contains { $0.message == "drain deadline" && $0.text("connections") == "3" })
    }

    @Test("a second signal ends a drain at once")
    func forced() throws {
        let gateway = try RunningGateway(folder: folder.path)
        gateway.dataPlane.update { $0.connections = 1 }
        gateway.signals.send(.interrupt)
        #expect(gateway.dataPlane.wait { $0.isDraining })
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 130)
    }

    @Test("a folder that is missing and a port that is taken are named")
    func cannotStart() throws {
        let missing = #expect(throws: TestFailure.self) { _ = try RunningGateway(folder: "/no/such/folder") }
        #expect(
            "\(try #require(missing))" == "sluice run: --manifests: there is no file or folder '/no/such/folder'")
        let other = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0))
        let bound = StreamSocket.localAddress(of: other)
        let taken = try #require(bound)
        let error = #expect(throws: TestFailure.self) {
            _ = try RunningGateway(folder: folder.path, "--admin-address", taken.description)
        }
        #expect(
            "\(try #require(error))".contains("sluice run: cannot listen on \(taken): port \(taken.port) is in use"))
    }

    @Test("readiness names what waits, and what is wrong besides")
    func details() throws {
        let gateway = try RunningGateway(folder: folder.path)
        gateway.dataPlane.update { $0.warnings = ["accepting is paused"] }
        #expect(
            try waitUntil { try gateway.probe("/readyz").contains("\"details\":{\"engine\":\"accepting is paused\"}") })
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
    }

    @Test("keys of session tickets come from a file, and a file that holds none is refused")
    func ticketKeys() throws {
        let files = try TemporaryDirectory()
        let line =
            "QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M="
        try files.write(line, to: "keys")
        let gateway = try RunningGateway(folder: folder.path, "--tls-ticket-key-file", files.path + "/keys")
        let ring = gateway.dataPlane.state.update { $0.ticketKeys }
        #expect(ring?.sealing == 0 && ring?.keys.first?.name == Array(repeating: 0x41, count: 16))
        #expect(try !gateway.admin("/config").contains("QUFB") && !gateway.log.text.contains("QUFB"))
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
        try files.write("QUFB", to: "keys")
        let refused = #expect(throws: TestFailure.self) {
            _ = try RunningGateway(folder: folder.path, "--tls-ticket-key-file", files.path + "/keys")
        }
        #expect("\(refused as Any)".contains("line 1 is not 80 bytes in base64"))
    }

    @Test("limits follow flags first, then descriptors and memory")
    func limits() throws {
        func limits(_ flags: [String], descriptors: Int, memory: Int64?) throws -> DataPlaneLimits {
            guard
                case .run(let options) = Interpretation(["run", "--manifests", "x"] + flags, environment: { _ in nil })
            else { throw TestFailure("not understood") }
            return DataPlaneLimits(options, processors: 40, descriptors: descriptors, memory: memory)
        }
        let free = try limits([], descriptors: 1_048_576, memory: nil)
        let all = 1_048_576
        #expect(
            free == DataPlaneLimits(workers: 16, maxConnections: 523_712, bufferMemory: 64 << 20, descriptors: all))
        #expect(try limits([], descriptors: 1024, memory: nil).maxConnections == 416)
        #expect(try limits([], descriptors: 1_048_576, memory: 128 << 20).maxConnections == 1024)
        #expect(try limits([], descriptors: 64, memory: 1).maxConnections == 16)
        #expect(
            try limits(["--max-connections", "9", "--workers", "2"], descriptors: 64, memory: nil).maxConnections == 9)
    }
}
