import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform
import Testing
import Translation

@testable import Controller

/// What becomes of what is on its way when the cluster, or who leads, changes under it.
@Suite("Books", .timeLimit(.minutes(1)))
struct BookTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private let serviceKey = key("sluice-edge", "sys")
    private let lost = APIError.transport(TransportError(.interrupted, "lost"))

    // MARK: Leadership

    @Test("leadership that ran out unnoticed and came back is told of: a writer may have seen that it was gone")
    func lapse() {
        let leadership = Leadership()
        let calls = Locked(0)
        leadership.onChange { calls.withLock { $0 += 1 } }
        leadership.update(validUntil: .now() + .seconds(-1))
        #expect(!leadership.isLeader)
        leadership.update(validUntil: .now() + .seconds(60))
        #expect(calls.withLock { $0 } == 2)
        #expect(leadership.gains == 2)
        leadership.update(validUntil: .now() + .seconds(70))
        #expect(calls.withLock { $0 } == 2)
    }

    // MARK: Services

    private func outcome(_ revision: UInt64, _ services: [DesiredService], living: [Service] = []) -> Outcome {
        var snapshot = ClusterSnapshot(asOf: 0)
        for service in living { snapshot.services[service.key] = service }
        var infrastructure = Infrastructure()
        infrastructure.services = services
        return Outcome(
            revision: revision, statuses: StatusReport(), infrastructure: infrastructure, snapshot: snapshot,
            observed: ObservedStatuses())
    }

    private var desired: DesiredService {
        DesiredService(
            key: serviceKey, gateway: key("edge"), labels: labels, annotations: [:], type: "ClusterIP",
            ports: [.init(name: "tcp-5432", port: 5432, targetPort: 20000)], selector: ["app": "sluice"])
    }

    private var labels: [String: String] {
        Dictionary(uniqueKeysWithValues: ServiceNames.identity.map { ($0, "x") })
    }

    private func serviceBook() -> ServiceBook {
        var book = ServiceBook(seed: 1)
        book.owner = .some(nil)
        return book
    }

    @Test("a leader that lost the Lease for a moment does not apply again what the watch has not shown yet")
    func regained() throws {
        var book = serviceBook()
        book.take(outcome(1, [desired]))
        let first = book.next(now: start)
        book.receive(.success(()), to: try #require(first), now: start)
        book.restart()
        let again = book.next(now: start + .milliseconds(100))
        #expect(again == nil)
        // What somebody made of it meanwhile is set right.
        let other = Service(
            metadata: ObjectMeta(name: serviceKey.name, namespace: "sys", uid: "s", labels: labels),
            spec: .init(type: "LoadBalancer"))
        book.take(outcome(2, [desired], living: [other]))
        book.restart()
        let repair = book.next(now: start + .seconds(3))
        #expect(repair != nil)
    }

    @Test("what failed is not sent again for a gateway that went meanwhile")
    func unwanted() throws {
        var book = serviceBook()
        book.take(outcome(1, [desired]))
        let first = book.next(now: start)
        book.take(outcome(2, []))
        book.receive(.failure(lost), to: try #require(first), now: start)
        let late = book.next(now: start + .seconds(120))
        #expect(late == nil)
        book.take(outcome(3, [desired]))
        let anew = book.next(now: start + .seconds(121))
        #expect(anew != nil)
    }

    // MARK: The owner of the Services

    private func answer(uid: String) -> WriterLoop.Answer {
        .success(APIResponse(head: HTTPHead(status: 200), body: Array("{\"metadata\":{\"uid\":\"\(uid)\"}}".utf8)))
    }

    @Test("an owner that was made anew is noticed: what names the old one would be collected again and again")
    func newOwner() {
        var marker = MarkerLookup(name: "sluice", seed: 1)
        let ask1 = marker.next(now: start)
        #expect(ask1)
        marker.receive(answer(uid: "a"), now: start)
        let ask2 = marker.next(now: start)
        #expect(!ask2)
        let second = start + .seconds(60)
        #expect(marker.wakeTime.map { $0 <= second } == true)
        let ask3 = marker.next(now: second)
        #expect(ask3)
        // While it is away, as at the end of an installation, what is made is to go with it.
        marker.receive(.failure(.status(APIStatus(code: 404, reason: "NotFound", message: ""))), now: second)
        #expect(marker.owner == .some(OwnerMarker(name: "sluice", uid: "a")))
        #expect(marker.error == nil)
        let third = second + .seconds(60)
        let ask4 = marker.next(now: third)
        #expect(ask4)
        marker.receive(answer(uid: "b"), now: third)
        #expect(marker.owner == .some(OwnerMarker(name: "sluice", uid: "b")))
    }

    // MARK: Statuses

    @Test("a refusal counts for the object that was refused, not for another one of its name")
    func refusedBefore() throws {
        var book = StatusBook(controllerName: "c", seed: 1)
        var report = StatusReport()
        report.backends[key("db")] = BackendStatus(conditions: [
            Condition(.accepted, .true, .accepted, observedGeneration: 1)
        ])
        func outcome(uid: String, version: String) -> Outcome {
            var observed = ObservedStatuses()
            observed.byKind["Backend", default: [:]][key("db")] = ObservedStatus(
                uid: uid, resourceVersion: version, generation: 1, version: "v1alpha1", status: nil)
            return Outcome(
                revision: 1, statuses: report, snapshot: ClusterSnapshot(asOf: 0), observed: observed)
        }
        book.take(outcome(uid: "a", version: "1"))
        let first = book.next(now: start, wall: 0)
        let refusal = APIError.status(APIStatus(code: 422, reason: "Invalid", message: ""))
        let next = book.receive(.failure(refusal), to: try #require(first), now: start, wall: 0)
        let again = book.next(now: start, wall: 0)
        #expect(next == nil && again == nil)
        book.take(outcome(uid: "b", version: "2"))
        let other = book.next(now: start, wall: 0)
        #expect(other != nil)
    }

    /// A route of which something is to be said, as the watch shows it.
    private func routeOutcome(uid: String = "a", version: String = "v1") -> Outcome {
        var report = StatusReport()
        report.tcpRoutes[key("r")] = RouteStatus(parents: [
            RouteParentStatus(
                parentRef: ParentReference(name: "edge"), controllerName: "c",
                conditions: [Condition(.accepted, .true, .accepted, observedGeneration: 1)])
        ])
        var observed = ObservedStatuses()
        observed.byKind["TCPRoute", default: [:]][key("r")] = ObservedStatus(
            uid: uid, resourceVersion: "7", generation: 1, version: version, status: nil)
        return Outcome(revision: 1, statuses: report, snapshot: ClusterSnapshot(asOf: 0), observed: observed)
    }

    private let notFound = APIError.status(APIStatus(code: 404, reason: "NotFound", message: ""))

    @Test("what a server does not find, though it is being watched, is tried again: the server may just have started")
    func notFoundYet() throws {
        var book = StatusBook(controllerName: "c", seed: 1)
        book.take(routeOutcome())
        let first = book.next(now: start, wall: 0)
        let next = book.receive(.failure(notFound), to: try #require(first), now: start, wall: 0)
        let atOnce = book.next(now: start, wall: 0)
        #expect(next == nil && atOnce == nil)
        let later = book.next(now: start + .seconds(5), wall: 0)
        #expect(later != nil)
    }

    @Test("a kind that is read in another version from now on is written in it, also where nothing else changed")
    func otherVersion() throws {
        var book = StatusBook(controllerName: "c", seed: 1)
        book.take(routeOutcome(version: "v1alpha2"))
        let first = book.next(now: start, wall: 0)
        #expect(first?.version == "v1alpha2")
        _ = book.receive(.failure(notFound), to: try #require(first), now: start, wall: 0)
        book.take(routeOutcome(version: "v1"))
        let second = book.next(now: start + .seconds(5), wall: 0)
        #expect(second?.version == "v1")
    }

    @Test("a Gateway that left our class is another's where classes may not be read: its status is let alone")
    func unreadClasses() throws {
        var book = StatusBook(controllerName: "c", seed: 1)
        var report = StatusReport()
        report.gateways[key("edge")] = GatewayStatus(conditions: [Condition(.accepted, .true, .accepted)])
        var observed = ObservedStatuses()
        observed.byKind["Gateway", default: [:]][key("edge")] = ObservedStatus(
            uid: "a", resourceVersion: "7", generation: 1, version: "v1",
            status: try JSONValue(encoding: GatewayStatus(conditions: [Condition(.accepted, .true, .accepted)])))
        var snapshot = ClusterSnapshot(asOf: 0)
        snapshot.scope = .namespaces(["default"])
        snapshot.gateways[key("edge")] = Gateway(
            metadata: ObjectMeta(name: "edge", namespace: "default"),
            spec: .init(gatewayClassName: "others", listeners: []))
        book.take(Outcome(revision: 1, statuses: report, snapshot: snapshot, observed: observed))
        while let write = book.next(now: start, wall: 0) {
            _ = book.receive(.failure(lost), to: write, now: start, wall: 0)
        }
        book.take(Outcome(revision: 2, statuses: StatusReport(), snapshot: snapshot, observed: observed))
        let write = book.next(now: start + .seconds(60), wall: 0)
        #expect(write == nil)
    }

    @Test("a Gateway that lost its class while nobody ran is taken back where the server recorded who wrote it")
    func orphan() throws {
        let status = try JSONValue(encoding: GatewayStatus(conditions: [Condition(.accepted, .true, .accepted)]))
        var observed = ObservedStatuses()
        for (name, managers) in [("ours", ["sluice"]), ("theirs", ["other"]), ("served", ["sluice"])] {
            var entry = ObservedStatus(
                uid: name, resourceVersion: "7", generation: 1, version: "v1", status: status)
            entry.conditionManagers = Set(managers)
            observed.byKind["Gateway", default: [:]][key(name)] = entry
        }
        var snapshot = ClusterSnapshot(asOf: 0)
        for (name, className) in [("ours", "gone"), ("theirs", "gone"), ("served", "others")] {
            snapshot.gateways[key(name)] = Gateway(
                metadata: ObjectMeta(name: name, namespace: "default"),
                spec: .init(gatewayClassName: className, listeners: []))
        }
        snapshot.gatewayClasses[key("others", "")] = GatewayClass(
            metadata: ObjectMeta(name: "others"), spec: .init(controllerName: "example.com/other"))
        var book = StatusBook(controllerName: "sluice.dev/gateway-controller", seed: 1)
        book.take(Outcome(revision: 1, statuses: StatusReport(), snapshot: snapshot, observed: observed))
        var written: [ObjectKey] = []
        while let write = book.next(now: start, wall: 0) { written.append(write.target.key) }
        #expect(written == [key("ours")])
    }

    @Test("what another controller was left is taken back once its class, or the Gateway of a ListenerSet, is gone")
    func leftBehind() throws {
        let accepted = [Condition(.accepted, .true, .accepted)]
        var report = StatusReport()
        report.gateways[key("edge")] = GatewayStatus(conditions: accepted)
        report.listenerSets[key("more")] = ListenerSetStatus(conditions: accepted)
        var observed = ObservedStatuses()
        for (kind, name, status) in [
            ("Gateway", "edge", try JSONValue(encoding: GatewayStatus(conditions: accepted))),
            ("ListenerSet", "more", try JSONValue(encoding: ListenerSetStatus(conditions: accepted))),
        ] {
            observed.byKind[kind, default: [:]][key(name)] = ObservedStatus(
                uid: name, resourceVersion: "7", generation: 1, version: "v1", status: status)
        }
        var snapshot = ClusterSnapshot(asOf: 0)
        snapshot.listenerSets[key("more")] = ListenerSet(
            metadata: ObjectMeta(name: "more", namespace: "default"),
            spec: .init(parentRef: .init(name: "edge"), listeners: []))
        snapshot.gateways[key("edge")] = Gateway(
            metadata: ObjectMeta(name: "edge", namespace: "default"),
            spec: .init(gatewayClassName: "others", listeners: []))
        snapshot.gatewayClasses[key("others", "")] = GatewayClass(
            metadata: ObjectMeta(name: "others"), spec: .init(controllerName: "example.com/other"))
        var book = StatusBook(controllerName: "c", seed: 1)
        book.take(Outcome(revision: 1, statuses: report, snapshot: snapshot, observed: observed))
        while let write = book.next(now: start, wall: 0) {
            _ = book.receive(.failure(lost), to: write, now: start, wall: 0)
        }
        book.take(Outcome(revision: 2, statuses: StatusReport(), snapshot: snapshot, observed: observed))
        let kept = book.next(now: start + .seconds(60), wall: 0)
        #expect(kept == nil)
        snapshot.gatewayClasses = [:]
        book.take(
            Outcome(revision: 3, statusRevision: 2, statuses: StatusReport(), snapshot: snapshot, observed: observed))
        var written: Set<StatusKind> = []
        while let write = book.next(now: start + .seconds(61), wall: 0) { written.insert(write.target.kind) }
        #expect(written == [.gateway, .listenerSet])
    }

    // MARK: Events

    @Test("a replica that does not lead forgets what is gone, and has room for what is new")
    func standby() {
        func item(_ name: String) -> StatusItem {
            StatusItem(
                StatusSubject(kind: "Gateway", namespace: "default", name: name),
                Condition(.accepted, .false, .invalidParameters, "no"))
        }
        func outcome(_ names: [String]) -> Outcome {
            var observed = ObservedStatuses()
            for name in names {
                observed.byKind["Gateway", default: [:]][key(name)] = ObservedStatus(
                    uid: name, resourceVersion: "1", generation: 1, version: "v1", status: nil)
            }
            return Outcome(
                revision: 1, statuses: StatusReport(), snapshot: ClusterSnapshot(asOf: 0), observed: observed)
        }
        var book = EventBook(controllerName: "c", instance: "i", now: start)
        let many = (0..<5000).map { "g\($0)" }
        book.take(many.map(item), outcome(many), isLeader: false, now: start)
        book.take([item("edge")], outcome(["edge"]), isLeader: false, now: start)
        book.tell(outcome(["edge"]), now: start + EventBook.patience)
        let write = book.next(now: start, wall: 0)
        #expect(write != nil)
    }
}
