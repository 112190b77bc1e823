import EngineModel
import Platform
import Primitives
import Testing

@testable import Controller

/// In virtual time.
@Suite("Acquaintance with keys of session tickets")
struct TicketAcquaintanceTests {
    private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

    @Test("every key opens at once; one seals once it has been known for a minute")
    func start() {
        var known = TicketAcquaintance()
        #expect(known.ring(now: at(0)) == nil && known.wakeTime(after: at(0)) == nil)
        let set = TicketKeySet.fresh(at: 0, makeKey: TicketKey.random)
        known.take(set, now: at(10))
        #expect(known.ring(now: at(10)) == TicketKeyRing(keys: set.keys))
        #expect(known.wakeTime(after: at(10)) == at(70))
        #expect(known.ring(now: at(69.999))?.sealing == nil)
        #expect(known.ring(now: at(70))?.sealingKey == set.current)
        #expect(known.wakeTime(after: at(70)) == nil)
    }

    @Test("a rotation is followed at once, because the key that comes to seal was known before")
    func rotation() {
        var known = TicketAcquaintance()
        let set = TicketKeySet.fresh(at: 0, makeKey: TicketKey.random)
        known.take(set, now: at(0))
        let rotated = set.rotated(at: 120, next: .random())
        known.take(rotated, now: at(120))
        #expect(known.ring(now: at(120))?.sealingKey == set.next)
        #expect(known.ring(now: at(120))?.keys.contains(set.current) == true)
    }

    @Test("of a rotation that came too soon the key before goes on")
    func hurry() {
        var known = TicketAcquaintance()
        let set = TicketKeySet.fresh(at: 0, makeKey: TicketKey.random)
        known.take(set, now: at(0))
        let second = set.rotated(at: 60, next: .random())
        known.take(second, now: at(60))
        let third = second.rotated(at: 65, next: .random())
        known.take(third, now: at(65))
        // `current` is what was `next` at 60.
        #expect(known.ring(now: at(65))?.sealingKey == second.current)
        #expect(known.ring(now: at(119))?.sealingKey == third.previous)
        #expect(known.ring(now: at(120))?.sealingKey == third.current)
    }

    @Test("keys that somebody put in the place of all others seal nothing for a minute, and the old ones open nothing")
    func replaced() {
        var known = TicketAcquaintance()
        let old = TicketKeySet.fresh(at: 0, makeKey: TicketKey.random)
        known.take(old, now: at(0))
        let new = TicketKeySet.fresh(at: 100, makeKey: TicketKey.random)
        known.take(new, now: at(100))
        #expect(known.ring(now: at(159)) == TicketKeyRing(keys: new.keys))
        #expect(known.ring(now: at(160))?.sealingKey == new.current)
        // One that was forgotten is a stranger.
        known.take(old, now: at(161))
        #expect(known.ring(now: at(200))?.sealing == nil)
    }

    @Test("without a leader the keys stay in use")
    func leaderless() {
        var known = TicketAcquaintance()
        let set = TicketKeySet.fresh(at: 0, makeKey: TicketKey.random)
        known.take(set, now: at(0))
        #expect(known.ring(now: at(1e7))?.sealingKey == set.current)
    }

    @Test("whatever one replica seals, every other opens, as long as news takes less than a minute", arguments: 0..<40)
    func replicas(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed) + 7)
        let period: Int64 = [120, 150, 1800][seed % 3]
        var secret = TicketKeySet.fresh(at: 0, makeKey: TicketKey.random)
        /// What is on its way to each replica.
        var news: [[(at: Double, set: TicketKeySet)]] = Array(repeating: [(0, secret)], count: 3)
        var replicas = Array(repeating: TicketAcquaintance(), count: 3)
        var sealed = 0
        for second in stride(from: 0.0, to: Double(period) * 12, by: Double(period) / 60) {
            // A leader comes and goes; a late one rotates late.
            if secret.isDue(at: Int64(second), period: period), random.fraction() < 0.3 {
                secret = secret.rotated(at: Int64(second), next: .random())
                for index in news.indices {
                    let last = news[index].last?.at ?? 0
                    news[index].append((max(last, second + 59 * random.fraction()), secret))
                }
            }
            // A replica is started anew: it reads the Secret as it is.
            if random.fraction() < 0.01 {
                let index = Int(random.next() % 3)
                (replicas[index], news[index]) = (TicketAcquaintance(), [(second, secret)])
            }
            for index in replicas.indices {
                while let first = news[index].first, first.at <= second {
                    replicas[index].take(first.set, now: at(first.at))
                    news[index].removeFirst()
                }
            }
            for replica in replicas {
                guard let key = replica.ring(now: at(second))?.sealingKey else { continue }
                sealed += 1
                for other in replicas where other.keys != nil {
                    let opens = other.ring(now: at(second))?.keys.contains(key) == true
                    #expect(opens, "seed \(seed), second \(second)")
                    if !opens { return }
                }
            }
        }
        #expect(sealed > 1000, "seed \(seed)")
    }
}
