import Glibc
import KubernetesAPI
@testable import ManifestSource
import Observability
import Platform
import TestSupport
import Testing

/// A source over a folder, and every state it handed over.
final class RunningSource: Sendable {
    let source: ManifestSource
    private let states = Monitored<[ManifestSnapshot]>([])

    convenience init(
        _ path: String, options: ManifestSource.Options = ManifestSource.Options(), log: MemoryLog? = nil
    ) throws {
        try self.init(path, options: options, log: log) { () throws(Errno) -> any FileWatcher in try Inotify() }
    }

    init(
        _ path: String, options: ManifestSource.Options = ManifestSource.Options(), log: MemoryLog? = nil,
        makeWatcher: @escaping @Sendable () throws(Errno) -> any FileWatcher
    ) throws {
        let logger = log.map { Logger(recordingTo: $0) } ?? .disabled
        source = try ManifestSource(path: path, options: options, logger: logger, makeWatcher: makeWatcher)
        try source.start { [states] state in states.update { $0.append(state) } }
    }

    deinit { source.stop() }

    var count: Int { states.update { $0.count } }
    var all: [ManifestSnapshot] { states.update { $0 } }

    /// Waits for a state that fits; the last one must.
    @discardableResult
    func wait(
        _ what: Comment, timeout: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation,
        _ fits: (ManifestSnapshot) -> Bool
    ) throws -> ManifestSnapshot {
        let found = states.wait(until: .now() + timeout) { states in states.last.flatMap { fits($0) ? $0 : nil } }
        return try #require(found, "\(what), last: \(String(describing: all.last))", sourceLocation: sourceLocation)
    }
}

extension ManifestSnapshot {
    var gatewayNames: [String] { snapshot.gateways.keys.sorted().map(\.description) }
    var problemLines: [String] { problems.map(\.description) }
    /// Equal but for the time, and for what came before.
    func isSame(as other: ManifestSnapshot) -> Bool {
        var other = other
        (other.snapshot.asOf, other.touched) = (snapshot.asOf, touched)
        return self == other
    }

    func port(_ name: String, _ namespace: String = "default") -> Int? {
        snapshot.gateways[ObjectKey(namespace: namespace, name: name)]?.spec.listeners.first?.port
    }
}

extension TemporaryDirectory {
    func rename(_ old: String, _ new: String) throws {
        try #require(Glibc.rename("\(path)/\(old)", "\(path)/\(new)") == 0, "rename \(old): \(errno)")
    }

    func link(_ name: String, to target: String) throws {
        try #require(symlink(target, "\(path)/\(name)") == 0, "symlink \(name): \(errno)")
    }

    func makeDirectory(_ name: String) throws {
        try #require(mkdir("\(path)/\(name)", 0o755) == 0, "mkdir \(name): \(errno)")
    }

    func removeDirectory(_ name: String) throws {
        for child in try listDirectory("\(path)/\(name)") { _ = unlink("\(path)/\(name)/\(child)") }
        try #require(rmdir("\(path)/\(name)") == 0, "rmdir \(name): \(errno)")
    }
}

func gateway(_ name: String, port: Int = 80, namespace: String? = nil) -> String {
    """
    apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata:
      name: \(name)\(namespace.map { "\n  namespace: \($0)" } ?? "")
    spec:
      gatewayClassName: sluice
      listeners:
      - name: tcp
        port: \(port)
        protocol: TCP

    """
}
