import CFaults
import Engine
import EngineModel
import Glibc
import Observability
import Platform
import Synchronization
import TestSupport

/// An engine with an access log of its own, for one trial.
final class Gateway: Sendable {
    let engine: Engine
    let log = MemoryLog()
    let accessLog: AccessLog
    let path: String

    /// On the calling thread, whose calls may fail.
    init(_ scene: Scene, inherited: [Binding: [Int32]] = [:]) throws {
        path = "\(scene.directory.path)/access-\(clientNumbers.add(1, ordering: .relaxed).newValue)"
        accessLog = try AccessLog(to: .file(path: path), logger: Logger(recordingTo: log))
        var options = EngineOptions(workers: 2, maxConnections: 1000, dnsServers: scene.dns.address)
        options.inheritedListeners = inherited
        engine = try Engine(options: options, logger: Logger(recordingTo: log), accessLog: accessLog)
    }

    /// Clients that were taken, and those whose end was counted with a reason; of all listeners but the one that comes and
    /// goes, whose series go with it, or of just that one.
    func counts(passing: Bool = false) -> (accepted: Int, ended: Int) {
        var text = PrometheusText()
        engine.writeMetrics(into: &text)
        var (accepted, ended) = (0, 0)
        for line in text.text.split(separator: "\n") where line.contains(Gateway.passing) == passing {
            let value = Int(line.split(separator: " ").last ?? "") ?? 0
            if line.hasPrefix("sluice_listener_connections_accepted_total{") { accepted += value }
            if line.hasPrefix("sluice_listener_connections_rejected_total{")
                || line.hasPrefix("sluice_tcp_connections_closed_total{")
            {
                ended += value
            }
        }
        return (accepted, ended)
    }

    /// Why connections ended, with how many of them did.
    var reasons: [String] {
        var text = PrometheusText()
        engine.writeMetrics(into: &text)
        return text.text.split(separator: "\n").filter {
            ($0.hasPrefix("sluice_listener_connections_rejected_total{")
                || $0.hasPrefix("sluice_tcp_connections_closed_total{"))
                && !$0.contains("_closed\"")
        }.map(String.init)
    }

    private static let passing = "listener=\"passing\""

    /// Whole lines of the access log, but those of the passing listener.
    func wholeLines() -> Int {
        let text = (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").count {
            $0.hasPrefix("{") && $0.hasSuffix("}") && !$0.contains("\"listener\":\"passing\"")
        }
    }

    func removeLog() { unlink(path) }
}

/// What must be back at its level when an engine is gone.
struct Levels: Hashable, CustomStringConvertible {
    var descriptors: Int
    var threads: Int

    static func now() -> Levels {
        Levels(descriptors: count("/proc/self/fd"), threads: count("/proc/self/task"))
    }

    /// Bytes on the heap.
    static var heap: Int { Int(faults_heap_bytes()) }

    private static func count(_ path: String) -> Int {
        guard let directory = opendir(path) else { return -1 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads" }
}
