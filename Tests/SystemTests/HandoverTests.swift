internal import FoundationEssentials
internal import TestSupport
internal import Testing

extension Process {
    /// `Peers/handover.py` plays the service manager, and says what each scenario is.
    @Suite("handover", .timeLimit(.minutes(4)))
    struct HandoverTests {
        private struct Report: Decodable {
            var begun: Int
            var served: Int
            /// Of attempts that had to succeed.
            var failures: [String]
            /// A second.
            var rate: Int
        }

        @Test(
            "of 200 connections a second none is refused or reset",
            arguments: ["reload", "upgrade", "failing", "path", "restarted", "activated"])
        func keepsAll(scenario: String) throws {
            let report = try play(scenario)
            #expect(report.served == report.begun)
        }

        @Test(
            "where the process dies, nobody is lost but those it was serving",
            arguments: ["killed", "crashed", "orphaned"])
        func keepsQueues(scenario: String) throws {
            let report = try play(scenario)
            #expect(report.served >= report.begun - 20)
        }

        private func play(_ scenario: String) throws -> Report {
            let folder = try TemporaryDirectory()
            let peer = try Installation.peer("handover.py", try Installation.sluice(), folder.path, scenario)
            let ports = try (0..<3).map { _ in "\(try Ports.free())" }
            let text = try run(peer + ports, within: .seconds(100)).checked()
            let report = try JSONDecoder().decode(Report.self, from: Data(text.utf8))
            #expect(report.failures == [])
            #expect(report.begun >= 200, "too little traffic to prove anything: \(report)")
            return report
        }
    }
}
