@testable import Observability
import Platform
import Testing

@Suite("Logger", .timeLimit(.minutes(1)))
struct LoggerTests {
    /// A stream that takes nothing until it is opened.
    private final class Gate: Sendable {
        private let state = Monitored((isOpen: false, waiting: false, text: ""))

        func write(_ bytes: [UInt8]) {
            state.update { $0.waiting = true }
            let _: Bool? = state.wait { $0.isOpen ? true : nil }
            state.update { $0.text += String(decoding: bytes, as: UTF8.self) }
        }

        func waitForWriter() { let _: Bool? = state.wait { $0.waiting ? true : nil } }
        func open() { state.update { $0.isOpen = true } }
        var lines: [String] { (state.wait { $0.text as String? } ?? "").split(separator: "\n").map(String.init) }
    }

    private func logger(to gate: Gate, limits: LogQueue.Limits = .init()) throws -> Logger {
        let writer = try LogWriter(line: LogLine(format: .text, colours: false), limits: limits) { gate.write($0) }
        return Logger(minimumLevel: .info, output: .writer(writer), bound: [])
    }

    @Test("levels below the minimum are neither written nor evaluated")
    func levels() {
        let log = MemoryLog()
        let logger = Logger(recordingTo: log, minimumLevel: .warning)
        var evaluated = 0
        func costly() -> LogValue {
            evaluated += 1
            return 1
        }
        logger.info("no", ["a": costly()])
        logger.warning("yes", ["a": costly()])
        logger.log(.error, "also")
        #expect(evaluated == 1)
        #expect(log.entries.map(\.message) == ["yes", "also"])
        #expect(log.entries.map(\.level) == [.warning, .error])
        #expect(log.entries.first?.text("a") == "1")
    }

    @Test("bound fields come first")
    func bound() {
        let log = MemoryLog()
        let port: UInt16 = 443
        Logger(recordingTo: log).with(["listener": "web"]).with(["port": LogValue(port)]).info(
            "bound", ["n": "\(1 + 1)"])
        #expect(log.text.hasSuffix(" INFO  bound listener=web port=443 n=2\n"))
    }

    @Test("the disabled logger discards")
    func disabled() {
        Logger.disabled.error("nobody reads this")
        #expect(!Logger.disabled.isEnabled(.error))
        #expect(Logger.disabled.flush(timeout: .zero))
    }

    @Test("a stream that is stuck drops lines, never blocks the caller, and says so once it goes on")
    func drops() throws {
        let gate = Gate()
        let logger = try logger(to: gate, limits: .init(lines: 10, bytes: 1 << 20))
        logger.info("first")
        gate.waitForWriter()
        for index in 0..<25 { logger.info("line", ["i": LogValue(index)]) }
        #expect(logger.droppedLines == 15)
        #expect(!logger.flush(timeout: .milliseconds(1)))
        gate.open()
        #expect(logger.flush())
        let lines = gate.lines
        #expect(lines.count == 12)
        #expect(lines.dropFirst().prefix(10).map { $0.split(separator: " ").last ?? "" } == (0..<10).map { "i=\($0)" })
        #expect(lines.last?.hasSuffix(" WARN  log lines dropped count=15") == true)
        logger.info("again")
        #expect(logger.flush())
        #expect(gate.lines.last?.hasSuffix("again") == true)
    }

    @Test("the queue is bounded in bytes too")
    func bytes() throws {
        let gate = Gate()
        let logger = try logger(to: gate, limits: .init(lines: 1000, bytes: 1000))
        logger.info("first")
        gate.waitForWriter()
        logger.info("large", ["x": LogValue(String(repeating: "x", count: 800))])
        logger.info("second", ["x": LogValue(String(repeating: "x", count: 800))])
        #expect(logger.droppedLines == 1)
        gate.open()
        #expect(logger.flush())
    }

    @Test("a stream that refuses lines counts them as dropped")
    func refused() throws {
        let writer = try LogWriter(line: LogLine(format: .text, colours: false)) { _ in throw Errno.brokenPipe }
        let logger = Logger(minimumLevel: .info, output: .writer(writer), bound: [])
        logger.info("lost")
        #expect(logger.flush())
        #expect(logger.droppedLines == 1)
    }

    @Test("lines of many threads arrive whole, each thread's in order, and all are there after the last logger is gone")
    func threads() throws {
        let gate = Gate()
        gate.open()
        let done = Monitored(0)
        do {
            let logger = try logger(to: gate)
            for thread in 0..<4 {
                try Thread(named: "t\(thread)") {
                    for index in 0..<250 { logger.info("m", ["t": LogValue(thread), "i": LogValue(index)]) }
                    done.update { $0 += 1 }
                }.detach()
            }
            let _: Bool? = done.wait { $0 == 4 ? true : nil }
            #expect(logger.flush())
        }
        let lines = gate.lines
        #expect(lines.count == 1000)
        for thread in 0..<4 {
            let mine = lines.filter { $0.contains(" t=\(thread) ") }.map { $0.split(separator: "=").last ?? "" }
            #expect(mine == (0..<250).map { "\($0)" })
        }
    }
}
