internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The alerts and dashboards of deploy/, held against promtool, Prometheus, Grafana's model, and what is exposed.
    @Suite("alerts and dashboards", .timeLimit(.minutes(3)))
    struct ObservingTests {
        private struct Answer: Decodable {
            var faults: [String]
            var answered: [String]
        }

        private func ask(_ arguments: String...) throws -> Answer {
            let command = try Installation.peer("observing_peer.py") + arguments
            let text = try run(command, environment: ["PYTHONDONTWRITEBYTECODE": "1"], within: .seconds(60)).checked()
            return try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
        }

        private let deploy = Installation.root + "/deploy"
        private let page = Installation.root + "/docs/reference/metrics.md"

        @Test("every alert fires with these words, is silent where it should be, and is explained")
        func rules() throws {
            _ = try Installation.program("promtool")
            #expect(try ask("rules", deploy).faults == [])
        }

        @Test("every query names metrics and labels that there are")
        func names() throws {
            #expect(try ask("names", deploy, page).faults == [])
        }

        @Test("Grafana's model has all that the dashboards say, and no data source is named")
        func models() throws { #expect(try ask("models", deploy).faults == []) }

        @Test(
            "what is wrong with a query is noticed",
            arguments: [
                ("sluice_listener_ready == 0", "sluice_listener_reedy == 0", "no metric sluice_listener_reedy"),
                ("{result!=\"ok\"}[5m]", "{outcome!=\"ok\"}[5m]", "no label outcome"),
                ("max by (kind) (", "max by (kinds) (", "has a label kinds"),
                ("does not know all {{ $labels.resource }}", "{{ $labels.resources }}", "has a label resources"),
            ])
        func mistakes(wrong: (text: String, replacement: String, fault: String)) throws {
            let folder = try TemporaryDirectory()
            _ = try run(["/bin/cp", "-r", deploy, folder.path]).checked()
            let path = folder.path + "/deploy/prometheus/alerts.yaml"
            let text = String(decoding: try readFile(path), as: UTF8.self)
            #expect(text.contains(wrong.text))
            try folder.write(
                text.replacing(wrong.text, with: wrong.replacement), to: "deploy/prometheus/alerts.yaml")
            let faults = try ask("names", folder.path + "/deploy", page).faults
            #expect(faults.contains { $0.contains(wrong.fault) }, "\(faults)")
        }

        @Test("Prometheus answers every query of a gateway with traffic, and panels of what happened have data")
        func prometheus() throws {
            _ = try Installation.program("prometheus")
            let backend = try EchoBackend("one")
            let (port, named) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: port), .init(name: "tls", port: named, mode: .passthrough)])
                    + Manifest.tcpRoute("db", to: "db", section: "db") + Manifest.service("db", at: backend.port))
            let isDone = Locked(false)
            let traffic = try Thread(named: "traffic") {
                while !isDone.withLock({ $0 }) {
                    guard let client = try? PlainClient(port: port) else { continue }
                    _ = try? client.receiveLine()
                    client.close()
                    if let other = try? PlainClient(port: named) {
                        try? other.send("not TLS\r\n")
                        _ = try? other.waitForEnd()
                    }
                }
            }
            let answer = try ask("scrape", deploy, "\(sluice.probes)", "\(try Ports.free())")
            isDone.withLock { $0 = true }
            traffic.join()
            #expect(answer.faults == [])
            for panel in [
                "overview.json: variable listener", "overview.json: Accepted", "overview.json: Relayed",
                "overview.json: Rejected by reason", "overview.json: Set-up: what the gateway adds",
                "overview.json: File descriptors in use", "overview.json: From a change to the table in use",
                "route-and-backend.json: variable route", "route-and-backend.json: variable backend",
                "route-and-backend.json: Closed by reason and side", "route-and-backend.json: Relayed",
                "route-and-backend.json: How long connections lived", "route-and-backend.json: Connects by result",
            ] { #expect(answer.answered.contains(panel), "\(panel)") }
            try sluice.stop()
        }
    }
}
