@testable import Engine
import EngineModel
import Glibc
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Access log: where it goes", .timeLimit(.minutes(5)))
struct AccessLogOutputTests {
    private func connect(_ log: AccessLogHarness, _ times: Int) throws {
        for _ in 0..<times {
            let client = try PlainClient(port: log.port)
            #expect(try client.receiveLine() == "a")
        }
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
    }

    @Test("a reader that does not read blocks nobody: what does not fit is counted, what fits comes whole")
    func blocked() throws {
        let output = GatedOutput()
        let log = try AccessLogHarness(ringSize: 16 << 10, output: output)
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port])
        try connect(log, 1)
        #expect(waitUntil { output.isWaiting })
        try connect(log, 200)
        let dropped = log.accessLog.dropped
        #expect(dropped > 100 && dropped < 200)
        #expect(log.harness.total("sluice_access_log_dropped_total") == Double(dropped))
        output.state.update { $0.isOpen = true }
        log.accessLog.flush(timeout: .seconds(10))
        #expect(output.lines == 201 - Int(dropped))
        let text = String(decoding: output.state.update { $0.bytes }, as: UTF8.self)
        for line in text.split(separator: "\n") { _ = try AccessFields(String(line)) }
        // And then it goes on.
        try connect(log, 10)
        log.accessLog.flush(timeout: .seconds(10))
        #expect(output.lines == 211 - Int(dropped))
        #expect(log.accessLog.dropped == dropped)
    }

    @Test("a pipe that nobody reads ends neither traffic nor the engine")
    func pipe() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        // Without a reader there is nothing to write to.
        #expect(throws: AccessLogFailure.self) { _ = try FileOutput(.file(path: path)) }
        let reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        let log = try AccessLogHarness(ringSize: 16 << 10, output: FileOutput(.file(path: path)))
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port])
        try connect(log, 400)
        #expect(waitUntil { log.accessLog.dropped > 0 })
        try connect(log, 10)
        let started = MonotonicTime.now()
        log.harness.engine.stop()
        #expect(MonotonicTime.now() - started < .seconds(5))
    }

    @Test("after a rotation the file is opened again: lines go where the name leads")
    func reopened() throws {
        let log = try AccessLogHarness()
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port])
        try connect(log, 3)
        #expect(log.lines().count == 3)
        #expect(rename(log.directory.path + "/access", log.directory.path + "/old") == 0)
        try connect(log, 2)
        #expect(log.lines("old").count == 5)
        #expect(log.harness.engine.reopenAccessLog())
        #expect(waitUntil { (try? readFile(log.directory.path + "/access")) != nil })
        try connect(log, 4)
        #expect(log.lines().count == 4)
        #expect(log.lines("old").count == 5)
        #expect(log.log.waitForEntry { $0.message == "access log opened again" } != nil)
        // Where it cannot be opened, the one that is open goes on.
        #expect(rename(log.directory.path + "/access", log.directory.path + "/older") == 0)
        #expect(mkdir(log.directory.path + "/access", 0o700) == 0)
        #expect(log.harness.engine.reopenAccessLog())
        #expect(log.log.waitForEntry { $0.message == "access log cannot be opened again" } != nil)
        try connect(log, 1)
        #expect(log.lines("older").count == 5)
        #expect(rmdir(log.directory.path + "/access") == 0)
    }

    @Test("lines that cannot be written are counted, and the process says so once")
    func full() throws {
        let log = try AccessLogHarness(output: FileOutput(.file(path: "/dev/full")))
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port])
        for round in 1...3 {
            try connect(log, 2)
            log.accessLog.flush()
            #expect(log.accessLog.dropped == UInt64(2 * round))
        }
        #expect(log.log.entries.count { $0.message == "access log cannot be written" } == 1)
    }

    @Test("a file that cannot be opened is an error that names it")
    func missing() throws {
        let failure = try #require(throws: AccessLogFailure.self) {
            _ = try AccessLog(to: .file(path: "/nowhere/access"), logger: .disabled)
        }
        #expect(failure.description.contains("/nowhere/access"))
    }
}
