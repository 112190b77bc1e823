import Glibc
import Observability
import Platform
import TestSupport
import Testing

@testable import SnapshotCache

@Suite("the cache as a whole", .timeLimit(.minutes(1)))
struct SnapshotCacheTests {
    private let folder: TemporaryDirectory
    private let log = MemoryLog()

    init() throws { folder = try TemporaryDirectory() }

    private func cache(_ change: (inout SnapshotCache.Options) -> Void = { _ in }) -> SnapshotCache {
        var options = SnapshotCache.Options(directory: folder.path + "/cache", origin: Sample.origin)
        options.clockFactor = 0.002
        change(&options)
        return SnapshotCache(options, logger: Logger(recordingTo: log))
    }

    private func expect(_ what: String, _ condition: @escaping () -> Bool) throws {
        guard waitUntil(deadline: .seconds(10), condition) else { throw TestFailure("\(what); log:\n\(log.text)") }
    }

    @Test("the newest of what is handed over is read by the next process, and what waits is written at the end")
    func handOver() throws {
        let first = cache()
        #expect(first.load() == nil)
        #expect(first.status.load == .absent)
        try first.start()
        for number in 1...100 { first.write(Sample.cluster(["a": "\(number)"], asOf: Sample.now())) }
        first.close()
        #expect((1...100).contains(first.status.written) && first.status.failed == 0)
        let second = cache()
        #expect(second.load()?.summary.contains("shop/a 100") == true)
        #expect(second.status.objects == 2 && second.status.bytes == first.status.bytes)
        #expect(log.entries.contains { $0.message == "the cache was read" })
    }

    @Test("what is too old, of another installation or sealed otherwise is refused with a line")
    func refusals() throws {
        let key = try folder.write(Sample.line(1), to: "key")
        let writer = cache()
        try writer.start()
        writer.write(Sample.cluster(asOf: Sample.now() - 7300))
        writer.close()
        #expect(cache { $0.maxAge = .seconds(9000) }.load() != nil)
        for (words, change) in [
            ("2 h 1 min old", { (options: inout SnapshotCache.Options) in options.maxAge = .seconds(7200) }),
            ("another installation", { $0.origin.server = "https://10.0.0.2:6443" }),
            ("another installation", { $0.origin.namespace = "sluice-2" }),
            ("another installation", { $0.origin.controllerName = "sluice.dev/other" }),
            ("not sealed", { $0.keyFile = key }),
            ("Permission denied|No such file", { $0.keyFile = "/nowhere" }),
        ] {
            let before = log.entries.count
            #expect(cache(change).load() == nil)
            let line = log.entries[before...].first { $0.message == "the cache is not read, as if there were none" }
            let text = line.map { "\($0)" } ?? ""
            #expect(words.split(separator: "|").contains { text.contains($0) }, "\(words): \(text)")
        }
    }

    @Test("a file of the future, written by a clock that ran ahead, is none that is too old")
    func future() throws {
        let writer = cache()
        try writer.start()
        writer.write(Sample.cluster(asOf: Sample.now() + 86_400))
        writer.close()
        #expect(cache { $0.maxAge = .seconds(60) }.load() != nil)
        #expect(log.entries.contains { $0.message == "the cache was read" && "\($0)".contains("0 s") })
    }

    @Test("keys are rotated by their file: the new one first, the old one after it")
    func rotation() throws {
        let path = try folder.write(Sample.line(1), to: "key")
        let writer = cache { $0.keyFile = path }
        try writer.start()
        writer.write(Sample.cluster(asOf: Sample.now()))
        try expect("written") { writer.status.written == 1 }
        let file = folder.path + "/cache/cluster.cache"
        let old = Array(try readFile(file)[32..<48])
        try folder.replace("key", with: "\(Sample.line(2))\n\(Sample.line(1))\n")
        #expect(cache { $0.keyFile = path }.load() != nil, "the old key opens what it sealed")
        writer.write(Sample.cluster(["a": "new"], asOf: Sample.now()))
        writer.close()
        #expect(Array(try readFile(file)[32..<48]) != old)
        try folder.replace("key", with: Sample.line(2))
        #expect(cache { $0.keyFile = path }.load() != nil, "the new key sealed it, without a restart")
    }

    @Test("one process writes; another one is told, and goes on once it is gone")
    func lock() throws {
        let (first, second) = (cache(), cache())
        try first.start()
        first.write(Sample.cluster(["a": "first"], asOf: Sample.now()))
        try expect("written") { first.status.written == 1 }
        try second.start()
        second.write(Sample.cluster(["a": "second"], asOf: Sample.now()))
        try expect("told") { second.status.problem?.contains("another process writes") == true }
        #expect(cache().load()?.summary.contains("shop/a first") == true)
        #expect(second.status.failed == 0, "a process that was taken over from may drain for long")
        first.close()
        try expect("its turn") { second.status.written == 1 }
        #expect(cache().load()?.summary.contains("shop/a second") == true)
        second.close()
    }

    @Test("what cannot be written is counted, said once, and written when it can be")
    func failing() throws {
        let directory = folder.path + "/later/cache"
        let writer = cache { $0.directory = directory }
        try writer.start()
        writer.write(Sample.cluster(asOf: Sample.now()))
        try expect("attempts") { writer.status.failed >= 3 }
        let said = log.entries.filter { $0.message == "the cache cannot be written, the file that is there stays" }
        #expect(said.count == 1)
        #expect(writer.status.problem?.contains("No such file") == true)
        // Something newer takes the place of what waits.
        writer.write(Sample.cluster(["a": "newer"], asOf: Sample.now()))
        let failed = writer.status.failed
        try expect("more attempts") { writer.status.failed >= failed + 2 }
        #expect(mkdir(folder.path + "/later", 0o755) == 0)
        try expect("written") { writer.status.written == 1 }
        #expect(writer.status.problem == nil && log.entries.contains { $0.message == "the cache is written again" })
        writer.close()
        #expect(cache { $0.directory = directory }.load()?.summary.contains("shop/a newer") == true)
    }

    @Test("what comes while an attempt fails is written, and not what the attempt was about")
    func newerWhileFailing() throws {
        let key = folder.path + "/key"
        #expect(mkfifo(key, 0o600) == 0)
        let writer = cache { $0.keyFile = key }
        try writer.start()
        writer.write(Sample.cluster(["a": "older"], asOf: Sample.now()))
        // Can be opened for writing once the attempt reads from it, which then waits for what is said here: nothing.
        var pipe: Int32 = -1
        try expect("an attempt") {
            pipe = open(key, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            return pipe >= 0
        }
        writer.write(Sample.cluster(["a": "newer"], asOf: Sample.now()))
        try folder.replace("key", with: Sample.line(1))
        close(pipe)
        try expect("written") { writer.status.written == 1 }
        writer.close()
        #expect(writer.status.failed == 1)
        #expect(cache { $0.keyFile = key }.load()?.summary.contains("shop/a newer") == true)
    }

    @Test("a directory that was taken away is made again, not written to where nobody finds it")
    func lostDirectory() throws {
        let writer = cache()
        try writer.start()
        writer.write(Sample.cluster(asOf: Sample.now()))
        try expect("written") { writer.status.written == 1 }
        #expect(unlink(folder.path + "/cache/cluster.cache") == 0 && rmdir(folder.path + "/cache") == 0)
        writer.write(Sample.cluster(["a": "again"], asOf: Sample.now()))
        try expect("written again") { writer.status.written == 2 }
        writer.close()
        #expect(cache().load()?.summary.contains("shop/a again") == true)
    }

    @Test("the end does not wait for what cannot be written")
    func endWhileFailing() throws {
        let writer = cache { $0.directory = folder.path + "/later/cache" }
        try writer.start()
        writer.write(Sample.cluster(asOf: Sample.now()))
        try expect("an attempt") { writer.status.failed >= 1 }
        writer.close()
        #expect(!log.text.contains("still being written at the end"))
    }

    @Test("metrics")
    func metrics() throws {
        let writer = cache()
        try writer.start()
        writer.write(Sample.cluster(asOf: 1_700_000_000))
        writer.close()
        let reader = cache()
        _ = reader.load()
        var text = PrometheusText()
        text.append(reader.status, serving: true)
        let scrape = text.text
        for line in [
            "sluice_cache_serving 1", #"sluice_cache_loads{result="ok"} 1"#, #"sluice_cache_loads{result="refused"} 0"#,
            "sluice_cache_loaded_timestamp_seconds 1700000000", #"sluice_cache_writes_total{result="ok"} 0"#,
            "sluice_cache_size_bytes \(writer.status.bytes)",
        ] { #expect(scrape.contains(line + "\n"), "\(line) in\n\(scrape)") }
    }
}
