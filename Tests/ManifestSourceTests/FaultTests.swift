import KubernetesAPI
@testable import ManifestSource
import Observability
import Platform
import TestSupport
import Testing

/// Inotify that fails as the kernel's can: no watch left, or events lost.
private final class FaultyWatcher: FileWatcher {
    private let inner: Inotify
    private let faults: Locked<Faults>
    struct Faults {
        var remainingWatches = Int.max
        var losesEvents = false
        var reportsOverflow = false
    }

    init(_ faults: Locked<Faults>) throws(Errno) {
        inner = try Inotify()
        self.faults = faults
    }

    var raw: Int32 { inner.raw }
    func remove(_ watch: Int32) { inner.remove(watch) }

    func add(_ path: String, _ events: FileEvents) throws(Errno) -> Int32 {
        let allowed = faults.withLock { faults in
            faults.remainingWatches -= 1
            return faults.remainingWatches >= 0
        }
        guard allowed else { throw .noSpace }
        return try inner.add(path, events)
    }

    func read() throws(Errno) -> [FileEvent] {
        let events = try inner.read()
        return faults.withLock { faults in
            guard faults.losesEvents else { return events }
            guard faults.reportsOverflow else { return [] }
            faults.reportsOverflow = false
            return [FileEvent(watch: -1, events: .overflow)]
        }
    }
}

@Suite("When events cannot be had", .timeLimit(.minutes(1)))
struct FaultTests {
    private let folder: TemporaryDirectory
    init() throws { folder = try TemporaryDirectory() }

    @Test("an overflow leads to a walk that finds what no event told")
    func overflow() throws {
        let faults = Locked(FaultyWatcher.Faults())
        try folder.write(gateway("a", port: 1), to: "a.yaml")
        let running = try RunningSource(folder.path) { () throws(Errno) -> any FileWatcher in try FaultyWatcher(faults)
        }
        try running.wait("the first") { $0.port("a") == 1 }
        faults.withLock { ($0.losesEvents, $0.reportsOverflow) = (true, true) }
        try folder.write(gateway("a", port: 22), to: "a.yaml")
        try running.wait("the change") { $0.port("a") == 22 }
    }

    @Test("without watches the tree is scanned, and watched again when that works", arguments: [0, 1])
    func noWatches(allowed: Int) throws {
        let faults = Locked(FaultyWatcher.Faults(remainingWatches: allowed))
        let log = MemoryLog()
        var options = ManifestSource.Options()
        options.scanInterval = .milliseconds(20)
        try folder.write(gateway("a", port: 1), to: "sub/a.yaml")
        let running = try RunningSource(folder.path, options: options, log: log) {
            () throws(Errno) -> any FileWatcher in
            try FaultyWatcher(faults)
        }
        try running.wait("the first") { $0.port("a") == 1 }
        try folder.write(gateway("a", port: 22), to: "sub/a.yaml")
        try running.wait("a change") { $0.port("a") == 22 }
        try folder.write(gateway("b"), to: "sub/more/b.yaml")
        try running.wait("a new file") { $0.gatewayNames == ["default/a", "default/b"] }
        let warnings = log.entries.filter { $0.message == "manifests cannot be watched, they are scanned instead" }
        #expect(warnings.map { $0.text("raise") } == ["fs.inotify.max_user_watches"])
        faults.withLock { $0.remainingWatches = .max }
        #expect(waitUntil { log.entries.contains { $0.message == "manifests are watched again" } })
        try folder.write(gateway("a", port: 3), to: "sub/a.yaml")
        try running.wait("a change that is watched") { $0.port("a") == 3 }
    }

    @Test("without inotify at all the tree is scanned")
    func noInotify() throws {
        var options = ManifestSource.Options()
        options.scanInterval = .milliseconds(20)
        let running = try RunningSource(folder.path, options: options) { () throws(Errno) -> any FileWatcher in
            throw .tooManyOpenFiles
        }
        try folder.write(gateway("a"), to: "a.yaml")
        try running.wait("a") { $0.gatewayNames == ["default/a"] }
        try folder.delete("a.yaml")
        try running.wait("gone") { $0.gatewayNames.isEmpty }
    }

    @Test("200 random edits end in what a fresh load gives, and each state says what differs from the one before")
    func convergence() throws {
        var generator = SystemRandomNumberGenerator()
        let running = try RunningSource(folder.path)
        let folders = ["", "x/", "x/y/", "z/"]
        var files: Set<String> = []
        for step in 0..<200 {
            let name = (folders.randomElement() ?? "") + "f\(Int.random(in: 0..<6, using: &generator)).yaml"
            let object = "g\(Int.random(in: 0..<12, using: &generator))"
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                try folder.write(gateway(object, port: step + 1), to: name)
                files.insert(name)
            case 4..<7:
                try folder.replace(name, with: gateway(object, port: step + 1) + "---\n" + gateway("\(object)-b"))
                files.insert(name)
            case 7:
                if let old = files.randomElement(), old != name {
                    try folder.write(gateway(object), to: name)
                    try folder.rename(old, name)
                    files.remove(old)
                    files.insert(name)
                }
            default:
                if let old = files.randomElement() {
                    try folder.delete(old)
                    files.remove(old)
                }
            }
        }
        let fresh = ManifestSource.load([folder.path], unknownFields: .warning)
        try running.wait("the same") { $0.isSame(as: fresh) }
        #expect(!fresh.gatewayNames.isEmpty)
        let states = running.all
        for (before, after) in zip(states, states.dropFirst()) {
            let changed = after.snapshot.gateways.changedKeys(since: before.snapshot.gateways)
            let touched = after.touched?["Gateway"] ?? []
            #expect(touched.isSuperset(of: changed))
        }
    }
}
