import Platform
import Testing

@testable import Commands

@Suite("Start times")
struct StartTimeTests {
    private let begin = MonotonicTime(nanoseconds: 5_000_000_000)
    private let wall: Int64 = 1_700_000_000_400_000_000

    private func seconds(_ start: StartTime, after seconds: Int, clockOff shift: Int64) -> Int64 {
        let elapsed = Int64(seconds) * 1_000_000_000
        return start.seconds(wall: wall + elapsed + shift, now: begin + .seconds(seconds))
    }

    @Test("it moves with a clock that is set, either way, and is never in the future")
    func steps() {
        let start = StartTime(wall: wall, now: begin)
        #expect(seconds(start, after: 10, clockOff: 0) == 1_700_000_000)
        for days in [Int64(1), -1, 3653, 0] {
            let shift = days * 86_400_000_000_000
            #expect(seconds(start, after: 60, clockOff: shift) == 1_700_000_000 + days * 86_400, "\(days)")
        }
        #expect(seconds(start, after: 0, clockOff: -1_000_000_000) == 1_699_999_999)
    }

    @Test("it stays where a clock is only slewed")
    func slewed() {
        let start = StartTime(wall: wall, now: begin)
        for shift in [Int64(-900_000_000), -1, 700_000_000, 1_900_000_000] {
            #expect(seconds(start, after: 100, clockOff: shift) == 1_700_000_000, "\(shift)")
        }
    }
}
