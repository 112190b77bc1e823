import Observability
import Platform
import Testing

@Suite("Log rate limiter", .timeLimit(.minutes(1)))
struct LogRateLimiterTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test("n lines per key and interval; the next interval's first tells what was held back")
    func limits() {
        var limiter = LogRateLimiter<String>(limit: 2, per: .seconds(1))
        var answers: [UInt64?] = []
        for time: Int64 in [0, 1, 2, 999, 1000, 1001, 1002] { answers.append(limiter.admit("a", now: at(time))) }
        #expect(answers == [0, 0, nil, nil, 2, 0, nil])
        let other = limiter.admit("b", now: at(1002))
        #expect(other == 0)
    }

    @Test("what nothing followed is handed over once")
    func takes() {
        var limiter = LogRateLimiter<Int>(limit: 1, per: .seconds(1))
        for _ in 0..<5 { _ = limiter.admit(7, now: at(0)) }
        _ = limiter.admit(8, now: at(0))
        let early = limiter.takeSuppressed(now: at(999))
        #expect(early.isEmpty)
        let taken = limiter.takeSuppressed(now: at(1000))
        #expect(taken.map(\.key) == [7] && taken.map(\.count) == [4])
        let again = limiter.takeSuppressed(now: at(1000))
        #expect(again.isEmpty)
    }

    @Test("made-up keys share one allowance beyond the capacity, until old ones expire")
    func capacity() {
        var limiter = LogRateLimiter<Int>(limit: 1, per: .seconds(1), capacity: 10)
        var admitted = 0
        for key in 0..<1000 where limiter.admit(key, now: at(0)) != nil { admitted += 1 }
        #expect(admitted == 11)
        let fresh = limiter.admit(2000, now: at(1000))
        #expect(fresh == 0)
    }
}
