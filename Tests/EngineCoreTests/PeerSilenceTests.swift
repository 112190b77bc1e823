import EngineCore
import Testing

@Suite("Silence of a peer")
struct PeerSilenceTests {
    private typealias Facts = PeerSilence.Facts

    /// Looks as often as it is asked to, with what is said of each second; the second at which it is gone.
    private func end(limit: Int64, from start: Int64 = 100, until last: Int64, _ facts: (Int64) -> Facts) -> Int64? {
        var (silence, now) = (PeerSilence(), start * 1000)
        while now <= last * 1000 {
            switch silence.look(facts(now / 1000), limit: limit, now: now) {
            case .gone: return now / 1000
            case .lookAgain(let pause):
                #expect(pause >= 500)
                now += pause
            }
        }
        return nil
    }

    @Test("who owes nothing stays, however long it has been quiet")
    func idle() {
        #expect(end(limit: 120, until: 1 << 17) { Facts(owes: false, missedAnswers: false, quiet: $0 * 1000) } == nil)
    }

    @Test("who owes an answer for the limit is gone, not sooner and at most half as late again", arguments: 100...260)
    func gone(cut: Int64) throws {
        let found = try #require(
            end(limit: 120, until: 2000) { second in
                guard second >= cut else { return Facts(owes: false, missedAnswers: false, quiet: 0) }
                return Facts(owes: true, missedAnswers: second > cut, quiet: (second - cut) * 1000)
            })
        #expect(found - cut >= 120)
        #expect(found - cut <= 182)
    }

    @Test("who answers probes of its closed window stays, though they are two minutes apart")
    func closedWindow() {
        #expect(
            end(limit: 120, until: 20_000) { second in
                let sinceProbe = second % 120
                return Facts(owes: true, missedAnswers: false, quiet: sinceProbe * 1000)
            } == nil)
        #expect(
            end(limit: 10, until: 5_000) { Facts(owes: true, missedAnswers: true, quiet: $0 % 9 * 1000) } == nil)
    }

    @Test("two probes have to go by before silence counts")
    func probes() throws {
        let found = try #require(
            end(limit: 4, until: 2000) { Facts(owes: true, missedAnswers: $0 >= 340, quiet: ($0 - 100) * 1000) })
        #expect((340...342).contains(found))
    }

    @Test("seconds may wrap around in the middle", arguments: [65_530, 65_535, 65_536, 131_071] as [Int64])
    func wrap(start: Int64) throws {
        let found = try #require(
            end(limit: 20, from: start, until: start + 200) {
                Facts(owes: true, missedAnswers: true, quiet: ($0 - start) * 1000)
            })
        #expect((20...23).contains(found - start))
    }

    @Test("a limit of more than nine hours is taken for nine")
    func longest() throws {
        let found = try #require(
            end(limit: .max, until: 100_000) { Facts(owes: true, missedAnswers: true, quiet: ($0 - 100) * 1000) })
        #expect(found - 100 == 32_769)
    }
}
