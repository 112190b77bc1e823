internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

/// A `sluice run`, whatever it serves.
protocol RunningSluice: Sendable {
    var program: Program { get }
    var probes: SocketAddress { get }
    var admin: SocketAddress { get }
    func fetch(_ path: String, from address: SocketAddress) throws -> HTTPAnswer
}

extension RunningSluice {
    func waitUntilReady(within deadline: Duration = .seconds(15)) throws {
        _ = try program.wait(for: "200 at /readyz", within: deadline) {
            (try? probe("/readyz"))?.status == 200 ? true : nil
        }
    }

    func fetch(_ path: String, from address: SocketAddress) throws -> HTTPAnswer { try get(path, from: address) }
    func probe(_ path: String) throws -> HTTPAnswer { try fetch(path, from: probes) }
    func config() throws -> HTTPAnswer { try fetch("/config", from: admin) }

    func metrics() throws -> Metrics {
        let answer = try probe("/metrics")
        guard answer.status == 200 else { throw TestFailure("/metrics answered \(answer.status): \(answer.body)") }
        return try Metrics(answer.body)
    }

    /// Waits until a scrape satisfies `condition`: counters follow what a client sees by moments.
    func waitForMetrics(
        _ what: String, within deadline: Duration = .seconds(5), _ condition: (Metrics) -> Bool
    ) throws {
        _ = try program.wait(for: what, within: deadline) { condition(try metrics()) ? true : nil }
    }

    /// How often the source was loaded and applied, in part or whole.
    var loads: Double { get throws { try metrics().sum("sluice_config_reloads_total") } }

    func waitForLoad(after before: Double) throws {
        _ = try program.wait(for: "load after the \(before)th", within: .seconds(10)) {
            try loads > before ? true : nil
        }
    }

    /// A log line that holds all of `parts`.
    func waitForLog(_ parts: String..., within deadline: Duration = .seconds(10)) throws {
        _ = try program.wait(for: "log line with \(parts)", within: deadline) { logLine(parts) }
    }

    /// The first log line that holds all of `parts`.
    func logLine(_ parts: [String]) -> String? {
        program.errors.split(separator: "\n").first { line in parts.allSatisfy { line.contains($0) } }.map(String.init)
    }

    /// Waits for a line of the access log, on standard output, that holds all of `parts`.
    func waitForAccessLine(_ parts: String..., within deadline: Duration = .seconds(10)) throws {
        _ = try program.wait(for: "access log line with \(parts)", within: deadline) {
            program.output.split(separator: "\n").first { line in parts.allSatisfy { line.contains($0) } }
        }
    }

    /// Resident memory in KiB.
    func residentMemory() throws -> Int {
        let status = String(decoding: try readFile("/proc/\(program.identifier)/status"), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TestFailure("no VmRSS of \(program.identifier)")
        }
        return kilobytes
    }

    /// Ends it as SIGINT does (no accept grace) and expects exit code 0.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) throws {
        program.signal(SIGINT)
        let ending = try program.waitForEnd(within: .seconds(10))
        #expect(ending == .exited(code: 0), sourceLocation: sourceLocation)
    }
}
