import KubernetesAPI
import Platform

@testable import Controller
import Primitives

/// Candidates with clocks of their own, a network that loses and delays, and one Lease: in virtual time.
final class LeaseSimulation {
    /// A candidate's clock runs at `rate` and began at `offset`, so that neither its time nor its speed is anybody else's.
    struct Candidate {
        var election: LeaseElection
        var offset: Int64
        var rate: Double
        var isAlive = true
    }

    enum Event {
        case arrives(candidate: Int, LeaseElection.Attempt)
        case answered(candidate: Int, number: UInt64, LeaseElection.Answer)
    }

    /// How the network behaves, in shares of 1 and in seconds.
    struct Network {
        var loss = 0.0
        var slowShare = 0.0
        var slowest = 8.0
        /// Candidates that reach nobody.
        var cut: Set<Int> = []
    }

    private(set) var now: Int64 = 0
    var network = Network()
    var candidates: [Candidate] = []
    private var events: [(at: Int64, event: Event)] = []
    private var lease: (record: LeaseRecord, version: Int64)?
    private var random: SplitMix64
    /// Moments at which two believed.
    private(set) var conflicts = 0
    private(set) var transitions: Int64 = 0

    init(candidates count: Int, seed: UInt64) {
        random = SplitMix64(seed: seed)
        for index in 0..<count {
            let offset = Int64(random.next() % 1_000_000_000_000)
            // Clocks of one cluster differ by far less; 15 s to 10 s leaves room for a third between two.
            let rate = 0.9 + 0.2 * random.fraction()
            let start = MonotonicTime(nanoseconds: offset)
            candidates.append(
                Candidate(
                    election: LeaseElection(identity: "c\(index)", now: start, seed: random.next()), offset: offset,
                    rate: rate))
        }
    }

    var leaders: [Int] {
        candidates.indices.filter { candidates[$0].isAlive && candidates[$0].election.isLeader(at: clock($0)) }
    }
    var holder: String? { lease?.record.holder }

    private func clock(_ index: Int) -> MonotonicTime {
        MonotonicTime(
            nanoseconds: candidates[index].offset + Int64(Double(now) * candidates[index].rate))
    }

    /// Runs for `seconds`; after every event it is checked that at most one believes.
    func run(seconds: Double) {
        let end = now + Int64(seconds * 1e9)
        while true {
            for index in candidates.indices where candidates[index].isAlive { poll(index) }
            let wake = candidates.indices.filter { candidates[$0].isAlive }.map(wakeTime).min() ?? end
            let next = min(events.map(\.at).min() ?? end, wake)
            guard next < end else { break }
            now = max(next, now + 1)
            deliver()
            if leaders.count > 1 { conflicts += 1 }
        }
        now = end
    }

    private func wakeTime(_ index: Int) -> Int64 {
        let wake = candidates[index].election.wakeTime.nanoseconds - candidates[index].offset
        return Int64((Double(wake) / candidates[index].rate).rounded(.up)) + 1
    }

    private func poll(_ index: Int) {
        let time = clock(index)
        if let attempt = candidates[index].election.poll(now: time, wall: "w\(now)") { send(attempt, from: index) }
    }

    private func delay() -> Int64 {
        let slow = random.fraction() < network.slowShare
        return Int64((slow ? network.slowest : 0.02) * random.fraction() * 1e9) + 1
    }

    private func isLost(_ index: Int) -> Bool { network.cut.contains(index) || random.fraction() < network.loss }

    private func send(_ attempt: LeaseElection.Attempt, from index: Int) {
        if !isLost(index) { events.append((now + delay(), .arrives(candidate: index, attempt))) }
    }

    private func deliver() {
        let due = events.filter { $0.at <= now }
        events.removeAll { $0.at <= now }
        for (_, event) in due {
            switch event {
            case .arrives(let index, let attempt):
                let answer = serve(attempt.request)
                if !isLost(index) {
                    events.append((now + delay(), .answered(candidate: index, number: attempt.number, answer)))
                }
            case .answered(let index, let number, let answer):
                guard candidates[index].isAlive else { continue }
                let next = candidates[index].election.receive(answer, to: number, now: clock(index), wall: "w\(now)")
                if let next { send(next, from: index) }
            }
        }
    }

    private func serve(_ request: LeaseElection.Request) -> LeaseElection.Answer {
        switch request {
        case .get: return current
        case .create(let record):
            guard lease == nil else { return .conflict }
            lease = (record, 1)
        case .update(let observed, let record):
            guard let lease else { return .notFound }
            guard observed.object["version"]?.integer == lease.version else { return .conflict }
            if record.holder != lease.record.holder { transitions += 1 }
            self.lease = (record, lease.version + 1)
        }
        return current
    }

    private var current: LeaseElection.Answer {
        guard let lease else { return .notFound }
        return .lease(ObservedLease(record: lease.record, object: .object(["version": .integer(lease.version)])))
    }
}
