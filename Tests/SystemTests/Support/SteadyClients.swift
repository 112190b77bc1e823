internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

/// Long-lived connections with traffic to one port, and new ones beside them, until ``finish()``.
final class SteadyClients: Sendable {
    struct Report: Decodable {
        var connections: Int
        var rounds: Int
        /// Of long-lived connections.
        var failures: [String]
        /// Connections made beside them.
        var new: Int
        var refused: [String]
    }

    private let program: Program
    private let count: Int

    /// Returns once all of them have exchanged bytes with an echo backend.
    init(port: UInt16, count: Int) throws {
        self.count = count
        program = try Program("clients", try Installation.peer("steady.py", "\(port)", "\(count)"))
        let running = try program.line(after: "running ", within: .seconds(30))
        guard running == "\(count)" else { throw TestFailure("\(running) of \(count) clients run") }
    }

    /// Ends them and says what they saw.
    func finish() throws -> Report {
        program.signal(SIGTERM)
        let text = try program.line(after: "report ", within: .seconds(40))
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }

    /// Ends them and expects that nothing disturbed any of them.
    @discardableResult
    func expectUndisturbed(sourceLocation: SourceLocation = #_sourceLocation) throws -> Report {
        let report = try finish()
        #expect(report.connections == count, sourceLocation: sourceLocation)
        #expect(report.failures == [], "long-lived connections", sourceLocation: sourceLocation)
        #expect(report.refused == [], "new connections", sourceLocation: sourceLocation)
        return report
    }
}
