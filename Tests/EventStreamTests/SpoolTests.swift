internal import Glibc
internal import Observability
internal import Platform
internal import TestSupport
internal import Testing
@testable internal import EventStream

@Suite("Spool of events", .timeLimit(.minutes(1)))
struct SpoolTests {
    private func line(_ number: Int) -> [UInt8] { Array("event \(number) \(String(repeating: "x", count: 40))\n".utf8) }

    private func segments(_ path: String) throws -> [String] {
        try listDirectory(path).filter { $0.hasSuffix(".events") }.sorted()
    }

    @Test(
        "a spool in a directory gives what a spool in memory gives, whatever the order of calls, also when opened anew")
    func sameAsMemory() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let folder = try TemporaryDirectory()
        var memory = MemorySpool()
        var files = try FileSpool(folder.path, segmentSize: 300)
        for step in 0..<2000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                let lines = (0...Int.random(in: 0..<5, using: &generator)).flatMap { line(step * 10 + $0) }
                memory.append(lines)
                try files.append(lines)
            case 4..<9:
                let most = Int.random(in: 1...400, using: &generator)
                let front = try files.front(most)
                let expected = memory.front(max(most, 0))
                // A batch ends with its segment at the latest.
                #expect(front.isEmpty == expected.isEmpty, "seed \(seed), step \(step)")
                #expect(expected.starts(with: front), "seed \(seed), step \(step)")
                try files.remove(front.count)
                memory.remove(front.count)
            default: files = try FileSpool(folder.path, segmentSize: 300)
            }
            #expect(files.size == memory.size, "seed \(seed), step \(step)")
            #expect(try files.lineCount() == memory.lineCount(), "seed \(seed), step \(step)")
            #expect(try segments(folder.path).count <= memory.size / 200 + 2, "seed \(seed), step \(step)")
        }
    }

    @Test("a torn last line is cut off; what was before it stays, and what comes after it too")
    func tornLine() throws {
        let folder = try TemporaryDirectory()
        var spool = try FileSpool(folder.path)
        try spool.append(line(1) + line(2))
        let path = folder.path + "/" + (try #require(segments(folder.path).first))
        _ = try SpoolFiles.append(Array("event 3 that the crash to".utf8), to: path)
        spool = try FileSpool(folder.path)
        #expect(try spool.front(1 << 20) == line(1) + line(2))
        try spool.append(line(4))
        #expect(try spool.front(1 << 20) == line(1) + line(2) + line(4))
    }

    @Test(
        "a note of what is done that names no segment, or a place behind its end, is not believed",
        arguments: [
            "", "nonsense", "1", "99 5", "1 1000000", "1 -3", "-1 0",
        ])
    func doneIsWrong(text: String) throws {
        let folder = try TemporaryDirectory()
        var spool = try FileSpool(folder.path)
        try spool.append(line(1))
        try folder.write(text, to: "done")
        spool = try FileSpool(folder.path)
        // A segment before the one that is named was finished: only its removal was not.
        #expect(try spool.front(1 << 20) == (text.hasPrefix("99") ? [] : line(1)))
    }

    @Test("numbers of segments are not used again while the note may still name them")
    func numbers() throws {
        let folder = try TemporaryDirectory()
        var spool = try FileSpool(folder.path)
        try spool.append(line(1) + line(2))
        try spool.remove(line(1).count)
        try spool.remove(line(2).count)
        #expect(try segments(folder.path) == [])
        spool = try FileSpool(folder.path)
        try spool.append(line(3))
        spool = try FileSpool(folder.path)
        #expect(try spool.front(1 << 20) == line(3))
    }

    @Test("a line that is longer than a batch may be is a batch of its own")
    func longLine() throws {
        let folder = try TemporaryDirectory()
        var spool = try FileSpool(folder.path)
        let long = Array(String(repeating: "y", count: 5000).utf8) + [UInt8(ascii: "\n")]
        try spool.append(long + line(2))
        #expect(try spool.front(100) == long)
        try spool.remove(long.count)
        #expect(try spool.front(100) == line(2))
    }

    @Test("a process that starts again delivers what the one before it could not, and nothing twice")
    func restart() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/spool"
        let log = MemoryLog()
        let first = ScriptedSink { number, _ in number == 1 ? .done : .failed("down", after: nil) }
        var events = try stream(first, spool: path, log: log)
        try events.start()
        events.end(0..<3)
        #expect(waitUntil { events.queue.counts.sent == 3 })
        events.end(3..<6)
        #expect(waitUntil { first.seen.count > 1 })
        events.close()
        #expect(log.lines.contains { $0.contains("events are left in the spool") })

        let second = ScriptedSink()
        events = try stream(ScriptedSink(), spool: folder.path + "/other")
        events = try stream(second, spool: path)
        #expect(events.queue.counts.pending == 3)
        try events.start()
        events.end(6..<8)
        #expect(waitUntil { events.queue.counts.sent == 5 })
        #expect(second.seen.flatMap(\.self) == Array(3..<8))
        events.close()
    }

    @Test("one process at a time has a directory")
    func lock() throws {
        let folder = try TemporaryDirectory()
        let events = try stream(ScriptedSink(), spool: folder.path)
        #expect(throws: EventStreamFailure("the spool of events \(folder.path): another process uses it")) {
            _ = try stream(ScriptedSink(), spool: folder.path)
        }
        _ = events
    }

    @Test("a spool that cannot be written drops, counts and says so")
    func unwritable() throws {
        let folder = try TemporaryDirectory()
        let log = MemoryLog()
        let sink = ScriptedSink()
        let events = try stream(sink, spool: folder.path + "/spool", log: log)
        try events.start()
        _ = try SpoolFiles.replace(folder.path + "/file", with: [])
        #expect(rename(folder.path + "/spool", folder.path + "/moved") == 0)
        events.end(0..<4)
        #expect(events.dropped(.spoolError) == 4)
        #expect(log.lines.contains { $0.contains("events cannot be put into the spool") })
        #expect(rename(folder.path + "/moved", folder.path + "/spool") == 0)
        events.end(4..<6)
        #expect(waitUntil { sink.seen == [[4, 5]] })
        events.close()
    }
}
