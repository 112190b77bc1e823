@testable import Engine
import EngineModel
import Platform
import TestSupport
import Testing

/// Lines are made of names that may be gone when they are written.
@Suite("Access log: names", .timeLimit(.minutes(5)))
struct AccessLogNamesTests {
    private let echo: EchoBackend

    init() throws { echo = try EchoBackend("a") }

    /// One route and one backend; those of other rounds go.
    private func serve(_ round: Int, by log: AccessLogHarness) {
        log.harness.apply(
            [tcpListener("l\(round)", port: log.port, route("r\(round)", to: "b\(round)"))],
            [backend("b\(round)", ports: [echo.port])])
    }

    private func connect(_ log: AccessLogHarness, _ times: Int) throws {
        let clients = try (0..<times).map { _ in try PlainClient(port: log.port) }
        for client in clients { #expect(try client.receiveLine() == "a") }
        for client in clients { client.close() }
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
    }

    /// Sorted, as each worker's lines are in their order.
    private func names(_ lines: [String]) throws -> [String] {
        try lines.map { line in
            let fields = try AccessFields(line)
            return [.listener, .route, .routeKind, .backend].map { fields.text($0) ?? "-" }.joined(separator: " ")
        }.sorted()
    }

    private func expected(_ rounds: Range<Int>, _ times: Int) -> [String] {
        rounds.flatMap { round in
            Array(
                repeating: "l\(round) default/r\(round) TCPRoute Service default/b\(round):80", count: times)
        }.sorted()
    }

    @Test("lines have the names that their connections had, however fast these come and go")
    func changes() throws {
        let log = try AccessLogHarness(workers: 2)
        for round in 0..<60 {
            serve(round, by: log)
            try connect(log, 4)
        }
        #expect(try names(log.waitForLines(240)) == expected(0..<60, 4))
    }

    @Test("while nothing can be written, names that are gone stay for the lines that wait")
    func late() throws {
        let output = GatedOutput()
        let log = try AccessLogHarness(workers: 2, output: output)
        serve(0, by: log)
        try connect(log, 1)
        #expect(waitUntil { output.isWaiting })
        for round in 1..<40 {
            serve(round, by: log)
            try connect(log, 2)
        }
        output.state.update { $0.isOpen = true }
        #expect(log.accessLog.flush(timeout: .seconds(10)))
        let text = String(decoding: output.state.update { $0.bytes }, as: UTF8.self)
        let lines = try names(text.split(separator: "\n").map(String.init))
        #expect(lines == (expected(0..<1, 1) + expected(1..<40, 2)).sorted())
    }

    @Test("many names that are gone wake the writer, where no line does")
    func idle() throws {
        let signal = try EventDescriptor()
        let retired = RetiredNames(signal: signal)
        for _ in 1..<RetiredNames.many { _ = AccessNames((.backend, "Service shop/b:80"), nil, retired) }
        #expect(try pollReadable([signal.raw], timeout: .zero).isEmpty)
        _ = AccessNames((.backend, "Service shop/b:80"), nil, retired)
        #expect(try !pollReadable([signal.raw], timeout: .zero).isEmpty)
        let gone = retired.take()
        #expect(gone.count == RetiredNames.many)
        retired.free(gone)
    }
}
