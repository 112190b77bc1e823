internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// `sluice top` in a pseudo-terminal, against a gateway that carries something.
    @Suite("top", .timeLimit(.minutes(3)))
    struct TopTests {
        private struct Answer: Decodable {
            var lines: [String]?
            var missing: [String]?
            var code: Int32?
            var settings: Bool?
            var modes: Bool?
            var tookScreen: Bool?

            func shows(_ text: String) -> Bool { lines?.contains { $0.contains(text) } == true }
        }

        /// What a terminal showed after each of the orders (see the peer).
        private func drive(_ size: (columns: Int, rows: Int), _ command: [String], _ orders: [String]) throws
            -> [Answer]
        {
            let folder = try TemporaryDirectory()
            try folder.write(orders.map { $0 + "\n" }.joined(), to: "orders")
            let words = try Installation.peer("terminal_peer.py") + ["\(size.columns)", "\(size.rows)"] + command
            let output = try run(
                ["sh", "-c", "\(words.joined(separator: " ")) < \(folder.path)/orders"], within: .seconds(100)
            ).checked()
            let answers = try output.split(separator: "\n").map {
                try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
            }
            for (order, answer) in zip(orders, answers) {
                #expect(answer.missing == nil, "\(order): \(answer.lines?.joined(separator: "\n") ?? "")")
            }
            try #require(answers.count == orders.count)
            return answers
        }

        private func serving(_ body: (Sluice, UInt16, [String]) throws -> Void) throws {
            let backend = try EchoBackend("one")
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: port)]), Manifest.tcpRoute("orders", to: "db", section: "db"),
                Manifest.service("db", at: backend.port))
            let clients = try (0..<3).map { _ in try PlainClient(port: port) }
            for client in clients { _ = try client.receiveLine() }
            let top = [
                try Installation.sluice(), "top", "--admin-address", "\(sluice.admin)", "--interval", "200ms",
            ]
            try body(sluice, port, top)
            for client in clients { client.close() }
            try sluice.stop()
        }

        @Test("tables by key, sorted and filtered, at any size, and the terminal as it was in the end")
        func tables() throws {
            try serving { sluice, port, top in
                let answers = try drive(
                    (120, 24), top,
                    [
                        #"{"wait": ["[2 Routes]", "TCPRoute default/orders", "3 connections", "0/s new"]}"#,
                        #"{"keys": "1"}"#, #"{"wait": ["[1 Listeners]", "default/gw/db"]}"#,
                        #"{"keys": "\u001b[C\u001b[C"}"#, #"{"wait": ["[3 Backends]", "Service default/db:1"]}"#,
                        #"{"keys": "4"}"#, #"{"wait": ["[4 Connections]", "1-3 of 3", "relaying"]}"#,
                        #"{"keys": "s"}"#, #"{"wait": ["IDLEv"]}"#, #"{"keys": "r"}"#, #"{"wait": ["IDLE^"]}"#,
                        #"{"keys": "/nothing"}"#, #"{"wait": ["/nothing_", "none"]}"#, #"{"keys": "\r"}"#,
                        #"{"wait": ["/nothing", "q quit"]}"#, #"{"keys": "\u001b"}"#, #"{"wait": ["1-3 of 3"]}"#,
                        #"{"resize": [50, 9]}"#, #"{"wait": ["[4 Connectio", "relaying"]}"#,
                        #"{"keys": "2"}"#, #"{"wait": ["TCPRoute default/orders"]}"#, #"{"keys": "q"}"#,
                        #"{"end": true}"#,
                    ])
                let routes = try #require(answers[0].lines)
                #expect(routes[0].contains("sluice ") && routes[0].contains("at \(sluice.admin)"))
                #expect(routes[3].hasPrefix("ROUTE"))
                let row = try #require(routes.first { $0.contains("TCPRoute default/orders") })
                #expect(row.split(separator: " ").map(String.init)[1...3] == ["default/orders", "ok", "3"])
                let listeners = try #require(answers[2].lines?.first { $0.contains("default/gw/db") })
                #expect(listeners.split(separator: " ").contains("\(port)"))
                #expect(answers[4].shows("1/1"))
                #expect(answers[6].lines?.count { $0.contains("127.0.0.1:") && $0.contains("relaying") } == 3)
                #expect(try #require(answers[18].lines).count == 9)
                let end = try #require(answers.last)
                #expect(end.code == 0 && end.settings == true && end.modes == true && end.tookScreen == true)
            }
        }

        @Test("Ctrl-C, SIGINT, SIGTERM and SIGHUP give the terminal back", arguments: [0, 2, 15, 1])
        func signals(number: Int32) throws {
            try serving { _, _, top in
                let stop = number == 0 ? #"{"keys": "\u0003"}"# : #"{"signal": \#(number)}"#
                let answers = try drive(
                    (100, 20), top, [#"{"wait": ["TCPRoute default/orders"]}"#, stop, #"{"end": true}"#])
                let end = try #require(answers.last)
                #expect(end.code == (number == 0 ? 0 : 128 + number))
                #expect(end.settings == true && end.modes == true && end.tookScreen == true)
            }
        }

        @Test("a pod of a Deployment is reached by kubectl port-forward, which ends with the command")
        func deployment() throws {
            try serving { sluice, _, _ in
                let kubectl = try KubectlStandIn(forwardingTo: sluice)
                let answers = try drive(
                    (120, 24),
                    [
                        "env", "PATH=\(kubectl.path)", try Installation.sluice(), "top", "--deployment", "edge/sluice",
                        "--interval", "200ms",
                    ],
                    [
                        #"{"wait": ["TCPRoute default/orders", "3 connections", "0/s new"]}"#, #"{"keys": "q"}"#,
                        #"{"end": true}"#,
                    ])
                #expect(answers[0].shows("at \(sluice.admin)"))
                let end = try #require(answers.last)
                #expect(end.code == 0 && end.settings == true && end.modes == true && end.tookScreen == true)
                #expect(
                    try kubectl.arguments == [
                        "port-forward --namespace edge --address 127.0.0.1 deployment/sluice :19000"
                    ])
                #expect(try kubectl.hasEnded)
            }
        }

        @Test("a kubectl that fails says why, and the terminal is left alone")
        func brokenKubectl() throws {
            let kubectl = try KubectlStandIn("echo 'error: pods \"sluice-0\" not found' >&2; exit 1")
            let top = ["env", "PATH=\(kubectl.path)", try Installation.sluice(), "top", "--pod", "edge/sluice-0"]
            let answers = try drive((300, 20), top, [#"{"end": true}"#])
            #expect(answers[0].code == 1 && answers[0].tookScreen == false && answers[0].settings == true)
            #expect(answers[0].shows("sluice top: kubectl says: error: pods \"sluice-0\" not found"))
        }

        @Test("without a terminal, or a gateway, one line says so and the terminal is left alone")
        func refused() throws {
            let nobody = try Ports.free()
            let top = [try Installation.sluice(), "top", "--admin-address", "127.0.0.1:\(nobody)"]
            let without = try run(top)
            #expect(without.ending == .exited(code: 1))
            #expect(without.errors.hasPrefix("sluice top: there is no terminal"))
            let answers = try drive((300, 20), top, [#"{"end": true}"#])
            #expect(answers[0].code == 1 && answers[0].tookScreen == false && answers[0].settings == true)
            #expect(answers[0].shows("nothing answers at 127.0.0.1:\(nobody)"))
        }
    }
}
