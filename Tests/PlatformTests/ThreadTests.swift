import Platform
import Testing

@Suite("Threads")
struct ThreadTests {
    /// Name and niceness of the calling thread, as the kernel has them (proc(5), /proc/pid/stat, fields 2 and 19).
    private static func standing() -> String {
        guard let text = try? readFile("/proc/thread-self/stat") else { return "unknown" }
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        return fields.count > 18 ? "\(fields[1]) \(fields[18])" : "\(fields)"
    }

    @Test("a thread stands back by as much as it is told, and its starter does not", arguments: [0, 10] as [Int32])
    func yielding(by niceness: Int32) throws {
        let before = ThreadTests.standing()
        let found = Locked("")
        try Thread(named: "stands-back", yielding: niceness) { found.withLock { $0 = ThreadTests.standing() } }.join()
        #expect(found.withLock { $0 } == "(stands-back) \(niceness)")
        #expect(ThreadTests.standing() == before)
    }
}
