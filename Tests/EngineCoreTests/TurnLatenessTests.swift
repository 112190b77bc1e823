import EngineCore
import Testing

@Suite("Turns that begin late")
struct TurnLatenessTests {
    private static let second: Int64 = 1_000_000_000

    @Test("timers expire in the turn that they woke", arguments: [0, 1_000, TurnLateness.least])
    func punctual(late: Int64) {
        var lateness = TurnLateness()
        lateness.willSleep(until: Self.second)
        let mayExpire = lateness.mayExpire(at: Self.second + late, connections: 10, isAllSeen: false)
        #expect(mayExpire)
        #expect(!lateness.isLooking)
    }

    @Test("without a timer no turn is late")
    func noTimer() {
        var lateness = TurnLateness()
        lateness.willSleep()
        let mayExpire = lateness.mayExpire(at: 1000 * Self.second, connections: 10, isAllSeen: false)
        #expect(mayExpire)
    }

    @Test("a late turn leaves timers to the next, which does not sleep and is the last where it sees all")
    func late() {
        var lateness = TurnLateness()
        lateness.willSleep(until: Self.second)
        let mayExpire = lateness.mayExpire(at: Self.second + TurnLateness.least + 1, connections: 10, isAllSeen: true)
        #expect(!mayExpire)
        #expect(lateness.isLooking)
        lateness.willSleep(until: 7 * Self.second)
        let mayExpireNow = lateness.mayExpire(at: 7 * Self.second, connections: 10, isAllSeen: true)
        #expect(mayExpireNow)
        #expect(!lateness.isLooking)
    }

    @Test("with many connections timers wait until all were seen, and no longer than it takes to see each once")
    func many() {
        var lateness = TurnLateness()
        // Turns that are late themselves change nothing: a worker that is always late still ends what is due.
        var turns = 0
        repeat {
            lateness.willSleep(until: Int64(turns) * Self.second)
            turns += 1
        } while !lateness.mayExpire(at: Int64(turns) * Self.second, connections: 5000, isAllSeen: false) && turns < 100
        #expect(turns == 3 + 5000 / 512)
        #expect(!lateness.isLooking)
    }

    @Test("a worker that is late in every turn ends what is due in every other")
    func alwaysLate() {
        var (lateness, expired) = (TurnLateness(), 0)
        for turn in 1...100 {
            lateness.willSleep(until: Int64(turn - 1) * Self.second)
            if lateness.mayExpire(at: Int64(turn) * Self.second, connections: 10, isAllSeen: true) { expired += 1 }
        }
        #expect(expired == 50)
    }
}
