import KubernetesAPI
import Platform
import Primitives
import Testing

@testable import Controller

@Suite("Lease election", .timeLimit(.minutes(1)))
struct LeaseElectionTests {
    @Test("of three candidates one leads, at once, and stays the leader")
    func calm() {
        let simulation = LeaseSimulation(candidates: 3, seed: 1)
        simulation.run(seconds: 5)
        let first = simulation.leaders
        #expect(first.count == 1)
        simulation.run(seconds: 600)
        #expect(simulation.leaders == first)
        #expect(simulation.transitions == 0)
        #expect(simulation.conflicts == 0)
    }

    @Test("when the leader dies another takes over once the lease ran out, and not before")
    func death() throws {
        let simulation = LeaseSimulation(candidates: 2, seed: 2)
        simulation.run(seconds: 30)
        let dead = try #require(simulation.leaders.first)
        simulation.candidates[dead].isAlive = false
        simulation.run(seconds: 10)
        #expect(simulation.leaders == [])
        simulation.run(seconds: 15)
        #expect(simulation.leaders == [1 - dead])
        #expect(simulation.transitions == 1)
    }

    @Test("a leader that reaches nobody stops believing before another begins")
    func cutOff() throws {
        let simulation = LeaseSimulation(candidates: 2, seed: 3)
        simulation.run(seconds: 30)
        let old = try #require(simulation.leaders.first)
        simulation.network.cut = [old]
        var gap = 0
        for _ in 0..<400 {
            simulation.run(seconds: 0.1)
            if simulation.leaders.isEmpty { gap += 1 }
        }
        #expect(simulation.leaders == [1 - old])
        #expect(gap >= 10, "\(gap) tenths of a second without a leader")
        simulation.network.cut = []
        simulation.run(seconds: 30)
        #expect(simulation.leaders == [1 - old])
        #expect(simulation.conflicts == 0)
    }

    @Test("whatever is lost or late, never two believe, and one leads once the network is well", arguments: 0..<60)
    func storms(seed: Int) {
        let simulation = LeaseSimulation(candidates: 2 + seed % 2, seed: UInt64(seed) &+ 1000)
        var random = SplitMix64(seed: UInt64(seed))
        for _ in 0..<20 {
            simulation.network.loss = 0.6 * random.fraction()
            simulation.network.slowShare = 0.5 * random.fraction()
            simulation.network.slowest = 20
            simulation.network.cut = random.fraction() < 0.3 ? [Int(random.next() % 2)] : []
            simulation.run(seconds: 20)
            if simulation.leaders.count > 1 { break }
        }
        #expect(simulation.conflicts == 0, "seed \(seed)")
        simulation.network = .init()
        simulation.run(seconds: 60)
        #expect(simulation.leaders.count == 1, "seed \(seed)")
        let settled = simulation.leaders
        simulation.run(seconds: 120)
        #expect(simulation.leaders == settled, "seed \(seed)")
        #expect(simulation.conflicts == 0, "seed \(seed)")
    }

    @Test("a lease that was given back is taken at once, and its transitions are counted on")
    func givenBack() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var election = LeaseElection(identity: "b", now: start, seed: 4)
        let record = LeaseRecord(holder: "", durationSeconds: 1, acquireTime: "x", renewTime: "y", transitions: 7)
        let lease = ObservedLease(
            record: record, object: .object(["metadata": .object(["resourceVersion": .string("9")])]))
        let first = election.poll(now: start, wall: "w")
        #expect(first?.request == .get)
        let second = election.receive(.lease(lease), to: 1, now: start + .milliseconds(5), wall: "w")
        guard case .update(let observed, let taken) = second?.request else {
            Issue.record("no update: \(String(describing: second))")
            return
        }
        #expect(observed == lease)
        #expect(taken == .init(holder: "b", durationSeconds: 15, acquireTime: "w", renewTime: "w", transitions: 8))
        #expect(!election.isLeader(at: start + .milliseconds(6)))
    }

    @Test("what others wrote into the object stays when it is renewed")
    func foreignFields() throws {
        let text = """
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
             "metadata":{"name":"sluice-leader","namespace":"rec","resourceVersion":"353","labels":{"a":"b"}},
             "spec":{"holderIdentity":"a","leaseDurationSeconds":15,"acquireTime":"2026-11-20T10:00:00.000000Z",
                     "renewTime":"2026-11-20T10:00:00.000000Z","leaseTransitions":3,"strategy":"OldestEmulationVersion"}}
            """
        let object = try #require(JSONValue(bytes: Array(text.utf8)))
        let lease = ObservedLease(object)
        #expect(lease.record.holder == "a")
        #expect(lease.record.transitions == 3)
        var record = lease.record
        record.renewTime = "2026-11-20T10:00:02.000000Z"
        let written = lease.with(record)
        #expect(written["metadata"] == object["metadata"])
        #expect(written["spec"]?["strategy"]?.text == "OldestEmulationVersion")
        #expect(written["spec"]?["renewTime"]?.text == "2026-11-20T10:00:02.000000Z")
    }

    @Test("MicroTime has six digits, and seconds have none")
    func times() {
        #expect(TimeText.micro(1_795_168_800_000_000_000) == "2026-11-20T10:00:00.000000Z")
        #expect(TimeText.micro(1_795_168_800_012_345_678) == "2026-11-20T10:00:00.012345Z")
        #expect(TimeText.seconds(0) == "1970-01-01T00:00:00Z")
        #expect(TimeText.seconds(951_782_400) == "2000-02-29T00:00:00Z")
    }
}
