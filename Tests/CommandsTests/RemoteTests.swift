import Inspection
import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("Asking a running gateway", .timeLimit(.minutes(1)))
struct RemoteTests {
    private func options(_ arguments: String...) throws -> ConnectionsOptions {
        switch Interpretation(["connections"] + arguments, environment: { _ in nil }) {
        case .connections(let options): return options
        case .refuse(let message): throw TestFailure(message)
        default: throw TestFailure("not understood: \(arguments)")
        }
    }

    private func refusal(_ arguments: String...) -> String {
        if case .refuse(let message) = Interpretation(["connections"] + arguments, environment: { _ in nil }) {
            message
        } else {
            ""
        }
    }

    /// What a command prints.
    private func output(_ options: ConnectionsOptions) throws -> String {
        let output = Locked("")
        try ConnectionsCommand(options: options).run(print: { text in output.withLock { $0 += text } })
        return output.withLock { $0 }
    }

    @Test("flags and operands say whom to ask and what to ask for")
    func interpretation() throws {
        let plain = try options()
        #expect(plain.remote.target == .address("127.0.0.1:19000"))
        #expect(!plain.closes && plain.parameters.isEmpty && !plain.remote.watches)
        let all = try options(
            "list", "state=queued", "--state", "relaying", "--min-age=5m", "-w", "-o", "wide", "--limit", "5")
        #expect(
            all.parameters.map { "\($0.name)=\($0.value)" } == [
                "state=queued", "state=relaying", "minAge=5m", "limit=5",
            ])
        #expect(all.remote.watches && all.remote.output == .wide)
        let pod = try options("-n", "edge", "--pod", "sluice-0", "--admin-address", "127.0.0.1:19001")
        #expect(
            pod.remote.target
                == .cluster(RemoteOptions.ClusterTarget(namespace: "edge", object: "pod/sluice-0", port: 19001)))
        let deployment = try options("--deployment=edge/sluice").remote.target
        #expect(
            deployment
                == .cluster(RemoteOptions.ClusterTarget(namespace: "edge", object: "deployment/sluice", port: 19000)))
        #expect(try options("close", "id=7", "--watch=false").closes)
    }

    @Test("what makes no sense is refused in one line")
    func refusals() {
        #expect(refusal("close").contains("at least one filter, or --all"))
        #expect(refusal("close", "--all", "id=1").contains("goes with no filter"))
        #expect(refusal("--all").contains("--all goes with close"))
        #expect(refusal("close", "id=1", "-w").contains("--watch means nothing"))
        #expect(refusal("close", "id=1", "--limit", "3").contains("--limit means nothing"))
        #expect(refusal("all").contains("unexpected argument 'all'"))
        #expect(refusal("rout=x").contains("did you mean 'route'?"))
        #expect(refusal("--pod", "a", "--deployment", "b").contains("give one of them"))
        #expect(refusal("--pod", "a/b", "-n", "c").contains("--namespace says 'c'"))
        #expect(refusal("--pod", "-x").contains("--pod"))
        #expect(refusal("--admin-address", "127.0.0.1").contains("--admin-address"))
        #expect(refusal("--watch=maybe").contains("true, false"))
    }

    @Test("connections are listed as a table, as JSON and as YAML, and closed")
    func listsAndCloses() throws {
        let folder = try TemporaryDirectory()
        let gateway = try RunningGateway(folder: folder.path, "--accept-grace", "0s")
        let address = "\(gateway.addresses.admin)"
        let open = [try Connections.relaying(7), try Connections.handshaking(8)]
        gateway.dataPlane.update { $0.open = open }
        let table = try output(options("--admin-address", address)).split(separator: "\n")
        #expect(table.count == 3)
        #expect(table[0].hasPrefix("ID  STATE          AGE  IDLE  CLIENT"))
        #expect(table[1].hasPrefix("7   relaying     1m30s    3s  10.1.2.3:4711"))
        #expect(table[1].contains("infra/edge/redis  TLSRoute infra/redis  10.9.0.7:6379  Redis.example.com  1000"))
        #expect(table[2].hasPrefix("8   handshaking   20ms    0s  [2001:db8::1]:4711  -"))
        let wide = try output(options("--admin-address", address, "-o", "wide", "id=7"))
        #expect(wide.contains("TLS_AES_256_GCM_SHA384") && wide.contains("lb-7"))
        #expect(try output(options("--admin-address", address, "-o", "json")).contains("\"total\" : 2"))
        let yaml = try output(options("--admin-address", address, "-o", "yaml", "state=handshaking"))
        #expect(yaml.hasPrefix("total: 1\nconnections:\n"))
        #expect(yaml.contains("state: handshaking\n"))
        #expect(try output(options("--admin-address", address, "state=queued")) == "no connection fits\n")
        let closed = try output(options("--admin-address", address, "close", "--sni", "*.example.com"))
        #expect(closed.hasSuffix("1 connection closed\n") && closed.contains("10.1.2.3:4711"))
        #expect(gateway.dataPlane.state.update { $0.open } == [open[1]])
        #expect(try output(options("--admin-address", address, "close", "id=1")) == "0 connections closed\n")
        gateway.signals.send(.terminate)
        #expect(try gateway.exitCode() == 0)
    }

    @Test("where nothing answers, one line says so and how a cluster is reached")
    func unreachable() throws {
        let failure = try #require(throws: StartFailure.self) {
            try output(options("--admin-address", "127.0.0.1:1"))
        }
        #expect(
            failure.description
                == "sluice connections: nothing answers at 127.0.0.1:1: is sluice running here? --pod NAMESPACE/NAME "
                + "reaches one in a cluster")
    }

    @Test("what the gateway says of a request is passed on, and a stranger is called one")
    func strangers() throws {
        let folder = try TemporaryDirectory()
        let gateway = try RunningGateway(folder: folder.path, "--accept-grace", "0s")
        let session = try RemoteSession(
            .address("\(gateway.addresses.admin)"), command: "status", signals: nil)
        let refused = try #require(throws: StartFailure.self) {
            try session.get(ConnectionList.self, "/connections", [("state", "a b&c=%")])
        }
        #expect(refused.description.contains("says: state: 'a b&c=%' is not allowed"), "\(refused)")
        let missing = try #require(throws: StartFailure.self) { try session.bytes("/nonsense") }
        #expect(missing.description.contains("has no /nonsense: it is another version of sluice"))
        let other = try #require(throws: StartFailure.self) { try session.get(ConnectionList.self, "/config") }
        #expect(other.description.contains("is no sluice, or another version of it"))
        session.close()
        gateway.signals.send(.terminate)
        #expect(try gateway.exitCode() == 0)
    }
}
