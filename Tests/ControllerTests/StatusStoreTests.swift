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

    @Test("the time of the last transition moves with the status alone")
    func transitions() {
        var store = StatusStore()
        let key = StatusStore.Key(subject: route, type: "Accepted")
        let changes = [
            store.update([item(.true, .accepted)], now: 10), store.update([item(.true, .accepted)], now: 20),
            store.update([item(.true, .accepted, "other")], now: 30),
        ]
        #expect(changes.map(\.count) == [1, 0, 1])
        #expect(store.entries[key]?.lastTransitionTime == 10)
        let changed = store.update([item(.false, .noMatchingParent)], now: 40)
        #expect(changed == [item(.false, .noMatchingParent)])
        #expect(store.entries[key]?.lastTransitionTime == 40)
    }

    @Test("a condition that is gone is forgotten, and new when it comes back")
    func forgotten() {
        var store = StatusStore()
        _ = store.update([item(.true, .accepted)], now: 10)
        let gone = store.update([], now: 20)
        #expect(gone.isEmpty && store.entries.isEmpty)
        let back = store.update([item(.true, .accepted)], now: 30)
        #expect(back.count == 1)
        #expect(store.sorted.first?.entry.lastTransitionTime == 30)
    }

    @Test("an object is rejected when one part of it is, superseded when it only waits")
    func counts() {
        let superseded = StatusItem(route, Condition(.superseded, .true, .olderRouteServes))
        #expect(ObjectCounts([item(.true, .accepted)]).counts == ["TCPRoute": [.accepted: 1]])
        #expect(ObjectCounts([item(.true, .accepted), superseded]).counts == ["TCPRoute": [.superseded: 1]])
        var other = item(.false, .noMatchingParent)
        other.subject.part = .parent("default/other")
        for items in [[superseded, other], [other, superseded], [item(.true, .accepted), other]] {
            #expect(ObjectCounts(items).counts == ["TCPRoute": [.rejected: 1]])
        }
    }
}
