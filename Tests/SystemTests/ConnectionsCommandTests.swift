internal import FoundationEssentials
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("sluice connections", .timeLimit(.minutes(2)))
    struct ConnectionsCommandTests {
        private struct List: Decodable {
            struct Connection: Decodable {
                var id: String
                var state: String
                var client: String
                var endpoint: String?
            }
            var total: Int
            var connections: [Connection]
        }

        private func connections(
            _ arguments: [String], path: String? = nil
        ) throws -> CommandResult {
            try run(
                [try Installation.sluice(), "connections"] + arguments, environment: path.map { ["PATH": $0] } ?? [:])
        }

        @Test("lists what is open, closes what it is told to, and says who closed it in the access log")
        func listsAndCloses() throws {
            let echo = try EchoBackend("echo")
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "plain", port: port)]),
                Manifest.tcpRoute("plain", to: "echo", section: "plain"), Manifest.service("echo", at: echo.port))
            let clients = try (0..<3).map { _ in try PlainClient(port: port) }
            for client in clients { _ = try client.receiveLine() }
            let ask = ["--admin-address", "\(sluice.admin)"]
            let json = try connections(ask + ["-o", "json", "state=relaying"]).checked()
            let list = try JSONDecoder().decode(List.self, from: Data(json.utf8))
            #expect(list.total == 3)
            #expect(Set(list.connections.map(\.client)) == Set(clients.compactMap { $0.localAddress?.description }))
            #expect(list.connections.allSatisfy { $0.endpoint == "127.0.0.1:\(echo.port)" })
            let table = try connections(ask).checked()
            #expect(table.contains("default/gw/plain  TCPRoute default/plain"), "\(table)")
            let victim = try #require(clients[1].localAddress)
            let closed = try connections(ask + ["close", "client=\(victim)"]).checked()
            #expect(closed.contains("\(victim)") && closed.hasSuffix("1 connection closed\n"), "\(closed)")
            #expect(try clients[1].waitForEnd() == .fin)
            try clients[0].exchange("still here")
            try sluice.waitForMetrics("a close by an operator") {
                $0.sum("sluice_tcp_connections_closed_total", ["reason": "admin_closed", "side": "proxy"]) == 1
            }
            let refused = try connections(ask + ["close"])
            #expect(refused.ending == .exited(code: 2))
        }

        @Test("a pod is reached by kubectl port-forward, which ends with the command")
        func pod() throws {
            let sluice = try Sluice.ready(Manifest.gateway([.init(name: "plain", port: try Ports.free())]))
            let kubectl = try KubectlStandIn(forwardingTo: sluice)
            let output = try connections(["--pod", "edge/sluice-0"], path: kubectl.path).checked()
            #expect(output == "no connection is open\n")
            #expect(
                try kubectl.arguments == ["port-forward --namespace edge --address 127.0.0.1 pod/sluice-0 :19000"])
            #expect(try kubectl.hasEnded)
        }

        @Test("without kubectl, with a broken one, and where nothing answers: one line, and exit code 1")
        func troubles() throws {
            let empty = try TemporaryDirectory()
            let absent = try connections(["--deployment", "sluice", "-n", "edge"], path: empty.path)
            #expect(absent.ending == .exited(code: 1))
            #expect(
                absent.errors.contains(
                    "kubectl port-forward --namespace edge --address 127.0.0.1 deployment/sluice 19000:19000"),
                "\(absent.errors)")
            let kubectl = try KubectlStandIn("echo 'error: pods \"sluice-0\" not found' >&2; exit 1")
            let broken = try connections(["--pod", "edge/sluice-0"], path: kubectl.path)
            #expect(broken.ending == .exited(code: 1))
            #expect(broken.errors == "sluice connections: kubectl says: error: pods \"sluice-0\" not found\n")
            let nobody = try connections(["--admin-address", "127.0.0.1:1"])
            #expect(nobody.ending == .exited(code: 1))
            #expect(
                nobody.errors.hasPrefix("sluice connections: nothing answers at 127.0.0.1:1: is sluice running here?"))
        }

        @Test("the real kubectl's words are passed on, where it is installed")
        func realKubectl() throws {
            guard (try? Installation.program("kubectl")) != nil else { return }
            let folder = try TemporaryDirectory()
            let config = try folder.write(
                """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
                contexts: [{name: c, context: {cluster: c}}]
                current-context: c
                """, to: "config")
            let result = try run(
                [try Installation.sluice(), "connections", "--pod", "edge/sluice-0"],
                environment: ["KUBECONFIG": config])
            #expect(result.ending == .exited(code: 1))
            #expect(result.errors.hasPrefix("sluice connections: kubectl says: "), "\(result.errors)")
            #expect(result.errors.contains("127.0.0.1:1"), "\(result.errors)")
        }
    }
}
