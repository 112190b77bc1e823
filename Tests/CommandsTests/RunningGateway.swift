import Observability
import Platform
import Primitives
import TestSupport

@testable import Commands

/// Signals that a test sends.
final class TestSignals: SignalSource {
    private let queue = Monitored<[ProcessSignal]>([])

    func send(_ signal: ProcessSignal) { queue.update { $0.append(signal) } }

    func next(until deadline: MonotonicTime?) -> ProcessSignal? {
        queue.wait(until: deadline) { $0.isEmpty ? nil : $0.removeFirst() }
    }

    func next(until deadline: MonotonicTime?, or descriptors: [Int32]) -> ProcessSignal? {
        guard !descriptors.isEmpty else { return next(until: deadline) }
        while true {
            if let signal = next(until: .now() + .milliseconds(5)) { return signal }
            if let deadline, deadline <= .now() { return nil }
            guard (try? pollReadable(descriptors, timeout: .zero))?.isEmpty ?? true else { return nil }
        }
    }
}

/// `sluice run` on a thread of this process, with a data plane of the test's.
final class RunningGateway: Sendable {
    let dataPlane = FakeDataPlane()
    let signals = TestSignals()
    let log = MemoryLog()
    let addresses: RunCommand.Addresses
    private let work: BackgroundWork<Int32>

    /// Serves `folder`; more flags as on the command line. Returns when it is up.
    convenience init(folder: String, _ flags: String...) throws {
        try self.init(["--manifests", folder] + flags) { options, logger, dataPlane in
            RunCommand(options: options, logger: logger) { _ in dataPlane }
        }
    }

    /// As in a cluster, with a source of the test's.
    convenience init(source: FakeSource, _ flags: String...) throws {
        try self.init(flags) { options, logger, dataPlane in
            RunCommand(options: options, logger: logger, makeDataPlane: { _ in dataPlane }) { _, _, _ in source }
        }
    }

    private init(
        _ flags: [String], make: @escaping @Sendable (RunOptions, Logger, FakeDataPlane) -> RunCommand
    ) throws {
        let arguments = ["run", "--probe-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"] + flags
        guard case .run(let options) = Interpretation(arguments, environment: { _ in nil }) else {
            throw TestFailure("not understood: \(arguments)")
        }
        let (dataPlane, signals, log) = (dataPlane, signals, log)
        let up = Monitored<Result<RunCommand.Addresses, TestFailure>?>(nil)
        work = try BackgroundWork {
            let command = make(options, Logger(recordingTo: log), dataPlane)
            do {
                return try command.run(signals, onReady: { addresses in up.update { $0 = .success(addresses) } })
            } catch {
                up.update { $0 = .failure(TestFailure("\(error)")) }
                throw error
            }
        }
        guard let outcome = up.wait(until: .now() + .seconds(10), { $0 }) else { throw TestFailure("did not start") }
        addresses = try outcome.get()
    }

    /// The exit code, once it has ended.
    func exitCode() throws -> Int32 { try work.value(timeout: .seconds(50)) }

    func probe(_ path: String) throws -> String { try get(path, from: addresses.probes) }
    func admin(_ path: String) throws -> String { try get(path, from: addresses.admin) }

    /// The answer of the admin address to any request. `fields`: whole lines.
    func admin(_ method: String, _ path: String, _ fields: String...) throws -> (status: Int, body: String) {
        let answer = try ask(method, path, addresses.admin, fields)
        guard let end = answer.firstRange(of: "\r\n\r\n"), let status = Int(answer.dropFirst(9).prefix(3)) else {
            throw TestFailure("no answer: \(answer)")
        }
        return (status, String(answer[end.upperBound...]))
    }

    private func get(_ path: String, from address: SocketAddress) throws -> String { try ask("GET", path, address, []) }

    /// The whole answer, head and body.
    private func ask(_ method: String, _ path: String, _ address: SocketAddress, _ fields: [String]) throws -> String {
        let socket = try StreamSocket.connect(to: .ip(address))
        try socket.setNonBlocking(false)
        let lines = ["\(method) \(path) HTTP/1.0", "Host: localhost"] + fields
        try socket.writeAll((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try socket.read(into: $0) }
            if count == 0 { return String(decoding: answer, as: UTF8.self) }
            answer += chunk[..<count]
        }
    }
}
