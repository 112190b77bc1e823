import Platform
import Testing

@Suite("Monitored values", .timeLimit(.minutes(1)))
struct MonitoredTests {
    @Test(
        "a wait until a time that has passed looks twice, and ends",
        arguments: [Int64.min, -1_500_000_000, -1, 0, 1])
    func past(deadline: Int64) {
        let value = Monitored(0)
        var looks = 0
        let result = value.wait(until: MonotonicTime(nanoseconds: deadline)) { _ -> Bool? in
            looks += 1
            return looks > 1000 ? true : nil
        }
        #expect(result == nil && looks <= 3, "\(looks) looks")
    }
}
