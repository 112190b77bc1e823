@testable import Engine
import EngineModel
import FoundationEssentials
import Observability
import Platform
import Primitives
import TestSupport

/// An engine whose access log goes to a file, and what that says.
final class AccessLogHarness {
    let directory: TemporaryDirectory
    let log = MemoryLog()
    let accessLog: AccessLog
    let harness: EngineHarness
    let port: UInt16

    init(
        workers: Int = 1, ringSize: Int = AccessRing.defaultSize, output: (any AccessOutput)? = nil,
        events: (any ClosedConnectionOutput)? = nil, hasLines: Bool = true
    ) throws {
        directory = try TemporaryDirectory()
        accessLog = try AccessLog(
            output: try output ?? FileOutput(.file(path: directory.path + "/access")), events: events,
            hasLines: hasLines, logger: Logger(recordingTo: log), ringSize: ringSize)
        harness = try EngineHarness(workers: workers, log: log, accessLog: accessLog)
        port = try freePort()
    }

    /// Serves a route of a plain listener; `change` has the last word.
    @discardableResult
    func apply(
        to ports: [UInt16], format: AccessLogFormat = .json, settings: AccessLogSettings = AccessLogSettings(),
        _ change: (inout ListenerConfiguration, inout RouteConfiguration) -> Void = { _, _ in }
    ) -> Acknowledgement {
        var route = route("r", to: "a")
        route.settings.accessLog = settings
        var listener = tcpListener("db", port: port, nil)
        listener.settings.accessLog = settings
        listener.settings.accessLogFormat = format
        change(&listener, &route)
        if case .tcp(nil) = listener.traffic { listener.traffic = .tcp(route) }
        return harness.apply([listener], [backend("a", ports: ports)])
    }

    /// What is in a file of the harness; of lines the whole ones.
    func lines(_ name: String = "access") -> [String] {
        accessLog.flush()
        let text = (try? readFile("\(directory.path)/\(name)")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Waits for so many lines.
    func waitForLines(_ count: Int) throws -> [String] {
        guard waitUntil({ lines().count >= count }) else { throw TestFailure("not \(count) lines: \(lines())") }
        return lines()
    }

    func waitForEntries(_ count: Int) throws -> [AccessFields] { try waitForLines(count).map { try AccessFields($0) } }

    /// The one entry.
    func entry() throws -> AccessFields {
        let entries = try waitForEntries(1)
        guard entries.count == 1 else { throw TestFailure("\(entries.count) lines") }
        return entries[0]
    }
}

/// One line of JSON, by field.
struct AccessFields {
    enum Value: Decodable, Hashable {
        case text(String), number(Double), flag(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }
    private let values: [String: Value]

    init(_ line: String) throws {
        values = try JSONDecoder().decode([String: Value].self, from: Data(line.utf8))
    }

    var names: Set<String> { Set(values.keys) }

    func text(_ field: AccessLogField) -> String? {
        if case .text(let text) = values[field.rawValue] { text } else { nil }
    }
    func number(_ field: AccessLogField) -> Double? {
        if case .number(let number) = values[field.rawValue] { number } else { nil }
    }
    func flag(_ field: AccessLogField) -> Bool? {
        if case .flag(let flag) = values[field.rawValue] { flag } else { nil }
    }
}

/// Blocks whoever writes until it is opened, and keeps what was written.
final class GatedOutput: AccessOutput {
    struct State {
        var isOpen = false
        var isWaiting = false
        var bytes: [UInt8] = []
    }
    let state = Monitored(State())

    func write(_ bytes: UnsafeRawBufferPointer, _ logger: Logger) -> Int {
        let copy = Array(bytes)
        state.update { $0.isWaiting = true }
        _ = state.wait { $0.isOpen ? true : nil }
        state.update { state in
            state.isWaiting = false
            state.bytes += copy
        }
        return 0
    }
    func reopenSoon() -> Bool { false }
    func reopenIfAsked(_ logger: Logger) {}

    var isWaiting: Bool { state.update { $0.isWaiting } }
    var lines: Int { state.update { $0.bytes.count { $0 == UInt8(ascii: "\n") } } }
}
