import KubernetesAPI
import Testing

@testable import Controller

@Suite("Status store")
struct StatusStoreTests {
    private let route = StatusSubject(
        kind: "TCPRoute", namespace: "default", name: "echo", part: .parent("default/edge"))

    private func item(_ status: Condition.Status, _ reason: Condition.Reason, _ message: String = "") -> StatusItem {
        StatusItem(route, Condition(.accepted, status, reason, message))
    }

    /// Takes over what holds of the route; returns what changed.
    private func update(_ store: inout StatusStore, _ items: [StatusItem], now: Int64) -> [StatusItem] {
        store.update(route.kind, route.key, items, now: now).map(\.item)
    }

    @Test("the time of the last transition moves with the status alone")
    func transitions() {
        var store = StatusStore()
        let key = StatusStore.Key(subject: route, type: "Accepted")
        let changes = [
            update(&store, [item(.true, .accepted)], now: 10), update(&store, [item(.true, .accepted)], now: 20),
            update(&store, [item(.true, .accepted, "other")], now: 30),
        ]
        #expect(changes.map(\.count) == [1, 0, 1])
        #expect(store[key]?.lastTransitionTime == 10)
        let changed = update(&store, [item(.false, .noMatchingParent)], now: 40)
        #expect(changed == [item(.false, .noMatchingParent)])
        #expect(store[key]?.lastTransitionTime == 40)
    }

    @Test("a condition that is gone is forgotten, and new when it comes back")
    func forgotten() {
        var store = StatusStore()
        _ = update(&store, [item(.true, .accepted)], now: 10)
        let gone = update(&store, [], now: 20)
        #expect(gone.isEmpty && store.sorted.isEmpty)
        let back = store.update(route.kind, route.key, [item(.true, .accepted)], now: 30)
        #expect(back.map(\.isNew) == [true])
        #expect(store.sorted.first?.entry.lastTransitionTime == 30)
    }

    @Test("an update of one object leaves the others alone")
    func others() {
        var store = StatusStore()
        _ = update(&store, [item(.true, .accepted)], now: 10)
        let superseded = Condition(.superseded, .true, .olderRouteServes)
        let other = StatusSubject(kind: "TCPRoute", namespace: "default", name: "other", part: .parent("default/edge"))
        _ = store.update(other.kind, other.key, [StatusItem(other, superseded)], now: 20)
        _ = store.update(other.kind, other.key, [], now: 30)
        #expect(store.sorted.map(\.entry.lastTransitionTime) == [10])
    }

    @Test("an object is rejected when one part of it is, superseded when it only waits")
    func counts() {
        func counts(_ conditions: [Condition]) -> [String: [ObjectCounts.State: Int]] {
            var counts = ObjectCounts()
            counts.replace("TCPRoute", [], with: conditions)
            return counts.counts
        }
        let accepted = Condition(.accepted, .true, .accepted)
        let superseded = Condition(.superseded, .true, .olderRouteServes)
        let refused = Condition(.accepted, .false, .noMatchingParent)
        #expect(counts([accepted]) == ["TCPRoute": [.accepted: 1]])
        #expect(counts([accepted, superseded]) == ["TCPRoute": [.superseded: 1]])
        for conditions in [[superseded, refused], [refused, superseded], [accepted, refused]] {
            #expect(counts(conditions) == ["TCPRoute": [.rejected: 1]])
        }
        #expect(counts([]) == [:])
    }

    @Test("an object that changes its state is counted once, and one that is gone no more")
    func counting() {
        let (good, bad) = (Condition(.accepted, .true, .accepted), Condition(.accepted, .false, .noMatchingParent))
        var counts = ObjectCounts()
        counts.replace("TCPRoute", [], with: [good])
        counts.replace("TCPRoute", [], with: [good])
        counts.replace("TCPRoute", [good], with: [bad])
        #expect(counts.counts == ["TCPRoute": [.accepted: 1, .rejected: 1]])
        counts.replace("TCPRoute", [bad], with: [])
        counts.replace("TCPRoute", [good], with: [])
        #expect(counts.counts == [:])
    }
}
