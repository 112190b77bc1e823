internal import FoundationEssentials
internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// Events of connections that ended, with a receiver that reads them by the CloudEvents SDK.
    @Suite("events", .timeLimit(.minutes(2)))
    struct EventTests {
        private struct Event: Decodable, Hashable {
            var id, source, type, connection, reason, event: String
            var subject: String?
        }

        private let backend: EchoBackend
        private let port: UInt16
        private let folder: TemporaryDirectory

        init() throws {
            (backend, port, folder) = (try EchoBackend("one"), try Ports.free(), try TemporaryDirectory())
        }

        private func sluice(_ flags: String...) throws -> Sluice {
            let manifests =
                Manifest.gateway([.init(name: "db", port: port)]) + Manifest.tcpRoute("db", to: "db", section: "db")
                + Manifest.service("db", at: backend.port)
            return try Sluice.ready(manifests, flags: flags)
        }

        private func connect(_ times: Int) throws {
            for _ in 0..<times {
                let client = try PlainClient(port: port)
                _ = try client.receiveLine()
                client.close()
            }
        }

        private func events(_ text: String) throws -> [Event] {
            try text.split(separator: "\n").filter { $0.hasPrefix("event ") }.map {
                try JSONDecoder().decode(Event.self, from: Data($0.dropFirst(6).utf8))
            }
        }

        /// A receiver in a mood.
        private func receiver(_ mood: String) throws -> (program: Program, url: String) {
            try folder.write(mood, to: "mood")
            let program = try Program("sink", try Installation.peer("event_sink.py", "server", folder.path + "/mood"))
            return (program, "http://127.0.0.1:\(try program.line(after: "port "))/events?key=hidden")
        }

        private func waitForSent(_ count: Double, _ sluice: Sluice) throws {
            try sluice.waitForMetrics("\(count) events sent", within: .seconds(40)) {
                $0.value("sluice_events_sent_total") == count
            }
        }

        @Test("a receiver that fails and comes back gets every event once, in order, as the specification has them")
        func trouble() throws {
            let (receiver, url) = try receiver("503")
            let lines = folder.path + "/access.log"
            let sluice = try sluice(
                "--event-sink", url, "--access-log", lines, "--event-source", "https://eu.example/s")
            try connect(20)
            try sluice.waitForMetrics("events wait") { $0.value("sluice_events_pending") == 20 }
            try sluice.waitForLog("events cannot be delivered", "status 503")
            try folder.replace("mood", with: "200")
            try waitForSent(20, sluice)
            try connect(5)
            try waitForSent(25, sluice)
            let all = try events(receiver.output)
            #expect(all.count == 25)
            #expect(Set(all.map(\.id)).count == 25)
            // The order is that of the lines, which are written by the same thread.
            let logged = String(decoding: try readFile(lines), as: UTF8.self).split(separator: "\n")
            #expect(logged.count == 25)
            for (line, event) in zip(logged, all) {
                #expect(line.contains("\"connection_id\":\"\(event.connection)\""))
            }
            let first = try #require(all.first)
            #expect(first.type == "dev.sluice.connection.closed.v1")
            #expect(first.source == "https://eu.example/s/gateways/default/gw")
            #expect(first.subject == "TCPRoute/default/db")
            #expect(first.reason == "client_closed" && first.event == "close")
            #expect(first.id.hasSuffix("-" + first.connection))
            let metrics = try sluice.metrics()
            #expect(metrics.value("sluice_events_pending") == 0)
            #expect(metrics.sum("sluice_events_dropped_total") == 0)
            #expect(!sluice.program.errors.contains("hidden"))
            try sluice.stop()
        }

        @Test(
            "with a spool directory events outlive a process that is killed; twice comes only what was not acknowledged"
        )
        func restart() throws {
            let (receiver, url) = try receiver("200")
            let flags = (spool: folder.path + "/spool", url: url)
            let first = try sluice("--event-sink", flags.url, "--event-spool", flags.spool)
            try connect(3)
            try waitForSent(3, first)
            // The answer is lost: the receiver has these, and nobody knows.
            try folder.replace("mood", with: "close")
            try connect(2)
            try first.waitForLog("events cannot be delivered")
            try folder.replace("mood", with: "500")
            try connect(4)
            try first.waitForMetrics("events wait") { $0.value("sluice_events_pending") == 6 }
            first.program.signal(SIGKILL)
            try first.program.waitForEnd(within: .seconds(10))

            let second = try sluice("--event-sink", flags.url, "--event-spool", flags.spool)
            #expect(try second.metrics().value("sluice_events_pending") == 6)
            try folder.replace("mood", with: "200")
            try waitForSent(6, second)
            try connect(1)
            try waitForSent(7, second)
            let all = try events(receiver.output)
            var seen: Set<String> = []
            let order = all.map(\.id).filter { seen.insert($0).inserted }
            #expect(order.count == 10)
            #expect(all.count > 10)
            try second.stop()
            #expect(try listDirectory(flags.spool).filter { $0.hasSuffix(".events") } == [])
        }

        @Test("a receiver that hangs holds up no connection, and the end for some seconds only")
        func hanging() throws {
            let (receiver, url) = try receiver("hang")
            let sluice = try sluice("--event-sink", url, "--access-log", "off")
            try connect(10)
            try sluice.waitForMetrics("events wait") { $0.value("sluice_events_pending") == 10 }
            try connect(10)
            try sluice.stop()
            #expect(receiver.ending == nil)
            #expect(sluice.program.output.isEmpty)
            #expect(sluice.logLine(["events are lost", "20"]) != nil, "\(sluice.program.errors)")
            #expect(sluice.logLine(["events cannot be delivered", "the client was closed"]) != nil)
        }

        @Test("a file has an event a line, the last of them when the process ends")
        func file() throws {
            let path = folder.path + "/events.jsonl"
            let sluice = try sluice("--event-sink", path)
            try connect(7)
            try waitForSent(7, sluice)
            let left = try PlainClient(port: port)
            _ = try left.receiveLine()
            left.close()
            try sluice.stop()
            let text = try run(try Installation.peer("event_sink.py", "check", path)).checked()
            #expect(try events(text).count == 8)
            #expect(sluice.program.output.split(separator: "\n").count == 8)
        }

        @Test("a second process on the same spool does not start")
        func sameSpool() throws {
            let path = folder.path + "/spool"
            let sluice = try sluice("--event-sink", folder.path + "/events", "--event-spool", path)
            let program = try Program(
                "sluice",
                [
                    try Installation.sluice(), "run", "--manifests", folder.path, "--event-sink", "/tmp/nowhere",
                    "--event-spool", path, "--probe-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0",
                ])
            #expect(try program.waitForEnd(within: .seconds(15)) == .exited(code: 1))
            #expect(program.errors.contains("the spool of events \(path): another process uses it"))
            try sluice.stop()
        }
    }
}
