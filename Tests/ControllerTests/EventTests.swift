import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Events", .timeLimit(.minutes(1)))
struct EventTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private let wall: Int64 = 1_795_168_800_012_345_678

    private func item(
        _ type: Condition.ConditionType, _ status: Condition.Status, _ reason: Condition.Reason, _ message: String = "",
        _ part: StatusSubject.Part = .whole, name: String = "edge"
    ) -> StatusItem {
        StatusItem(
            StatusSubject(kind: "Gateway", namespace: "default", name: name, part: part),
            Condition(type, status, reason, message))
    }

    private func outcome(_ statuses: [String: JSONValue?] = ["edge": nil]) -> Outcome {
        var observed = ObservedStatuses()
        for (name, status) in statuses {
            observed.byKind["Gateway", default: [:]][key(name)] = ObservedStatus(
                uid: "uid-\(name)", resourceVersion: "1", generation: 1, version: "v1", status: status)
        }
        return Outcome(
            revision: 1, statuses: StatusReport(), snapshot: ClusterSnapshot(asOf: 0), observed: observed)
    }

    /// Something that lasts, told when it has lasted.
    private func tell(
        _ book: inout EventBook, _ items: [StatusItem], _ outcome: Outcome? = nil, at now: MonotonicTime? = nil
    ) {
        let now = now ?? start
        book.take(items, outcome ?? self.outcome(), isLeader: true, now: now)
        book.tell(outcome ?? self.outcome(), now: now + EventBook.patience)
    }

    private func book() -> EventBook {
        EventBook(controllerName: "sluice.dev/gateway-controller", instance: "sluice-0", now: start)
    }

    @Test("a listener's invalid certificate is an Event on its Gateway, as events.k8s.io/v1 wants it")
    func certificate() throws {
        var book = book()
        tell(
            &book,
            [
                item(.resolvedRefs, .false, .listenersNotResolved, "see listeners db"),
                item(.resolvedRefs, .false, .invalidCertificateRef, "Secret a: no key", .listener("db")),
                item(.accepted, .true, .accepted, "", .listener("db")),
            ])
        let first = book.next(now: start, wall: wall)
        let write = try #require(first)
        #expect(book.next(now: start, wall: wall) == nil)
        guard case .create(let event) = write.action else {
            Issue.record("no new Event")
            return
        }
        #expect(event["metadata"]?["namespace"]?.text == "default")
        #expect(event["metadata"]?["name"]?.text?.hasPrefix("edge.") == true)
        #expect(event["eventTime"]?.text == "2026-11-20T10:00:00.012345Z")
        #expect(event["reportingController"]?.text == "sluice.dev/gateway-controller")
        #expect(event["reportingInstance"]?.text == "sluice-0")
        #expect(event["reason"]?.text == "InvalidCertificateRef")
        #expect(event["action"]?.text == "ResolvingReferences")
        #expect(event["type"]?.text == "Warning")
        #expect(event["note"]?.text == "listener db: Secret a: no key")
        #expect(event["regarding"]?["uid"]?.text == "uid-edge")
        #expect(event["regarding"]?["apiVersion"]?.text == "gateway.networking.k8s.io/v1")
    }

    @Test("the same Event within ten minutes counts up the one that stands; after that it is a new one")
    func series() throws {
        var book = book()
        var now = start
        var writes: [EventBook.Write] = []
        for round in 0..<4 {
            if round == 3 { now = now + .seconds(601) }
            tell(&book, [item(.programmed, .false, .addressNotAssigned, "no address")], at: now)
            let next = book.next(now: now, wall: wall + Int64(round) * 1_000_000_000)
            let write = try #require(next)
            book.receive(.success(()), to: write, now: now)
            writes.append(write)
            now = now + .seconds(60)
        }
        let counts = writes.map { write -> Int64? in
            if case .count(let patch) = write.action { patch["series"]?["count"]?.integer } else { nil }
        }
        #expect(counts == [nil, 2, 3, nil])
        #expect(Set(writes.map(\.name)).count == 2)
        if case .count(let patch) = writes[2].action {
            #expect(patch["series"]?["lastObservedTime"]?.text == "2026-11-20T10:00:02.012345Z")
        }
    }

    @Test("what a leader before us wrote into the status is not told again")
    func known() throws {
        var book = book()
        let problem = item(.programmed, .false, .addressNotAssigned, "no address")
        let status = GatewayStatus(conditions: [problem.condition])
        tell(&book, [problem], outcome(["edge": try JSONValue(encoding: status)]))
        let write = book.next(now: start, wall: wall)
        #expect(write == nil)
    }

    @Test("a problem that was told of is said to be over, once")
    func solved() throws {
        var book = book()
        tell(&book, [item(.programmed, .false, .addressNotAssigned, "no address")])
        tell(&book, [item(.programmed, .true, .programmed)])
        tell(&book, [item(.programmed, .true, .programmed, "still")])
        let writes = [book.next(now: start, wall: wall), book.next(now: start, wall: wall + 1)]
        let types = writes.map { write -> String? in
            if case .create(let event)? = write?.action { event["type"]?.text } else { nil }
        }
        #expect(types == ["Warning", "Normal"])
        for write in writes.compactMap({ $0 }) { book.receive(.success(()), to: write, now: start) }
        let more = book.next(now: start, wall: wall)
        #expect(more == nil)
    }

    @Test("what lasts a moment only is not told, nor what the leader told meanwhile")
    func momentary() throws {
        var book = book()
        let problem = item(.resolvedRefs, .false, .backendNotFound, "not yet")
        book.take([problem], outcome(), isLeader: true, now: start)
        book.tell(outcome(), now: start + .milliseconds(900))
        book.take(
            [item(.resolvedRefs, .true, .resolvedRefs)], outcome(), isLeader: true, now: start + .milliseconds(950))
        book.tell(outcome(), now: start + .seconds(5))
        let first = book.next(now: start + .seconds(5), wall: wall)
        #expect(first == nil)

        book.take([problem], outcome(), isLeader: false, now: start)
        let written = outcome(["edge": try JSONValue(encoding: GatewayStatus(conditions: [problem.condition]))])
        book.take([], written, isLeader: false, now: start + .seconds(1))
        book.tell(written, now: start + .seconds(5))
        let second = book.next(now: start + .seconds(5), wall: wall)
        #expect(second == nil)
    }

    @Test("one object has its share, all together have theirs, and what is over is dropped")
    func shares() {
        var book = book()
        tell(&book, (0..<100).map { item(.warning, .true, .invalid, "\($0)", .listener("l\($0)")) })
        #expect(book.dropped == 90)
        let names = Dictionary(uniqueKeysWithValues: (0..<100).map { ("g\($0)", nil as JSONValue?) })
        tell(&book, (0..<100).map { item(.warning, .true, .invalid, "", name: "g\($0)") }, outcome(names))
        #expect(book.dropped == 90 + 60)
        var count = 0
        while let write = book.next(now: start, wall: wall) {
            book.receive(.success(()), to: write, now: start)
            count += 1
        }
        #expect(count == 50)
    }

    @Test("an expired Event is made anew, other failures are dropped, and a server in trouble is left in peace")
    func failures() throws {
        var book = book()
        for _ in 0..<2 {
            tell(&book, [item(.programmed, .false, .addressNotAssigned, "no address")])
        }
        let first = book.next(now: start, wall: wall)
        book.receive(.success(()), to: try #require(first), now: start)
        let second = book.next(now: start, wall: wall)
        book.receive(.failure(.fake(404, "NotFound")), to: try #require(second), now: start)
        let third = book.next(now: start, wall: wall + 5)
        guard case .create? = third?.action else {
            Issue.record("not made anew")
            return
        }
        book.receive(.failure(.fake(500, "InternalError")), to: try #require(third), now: start)
        tell(&book, [item(.accepted, .false, .unsupportedAddress, "x")])
        let early = book.next(now: start, wall: wall)
        #expect(early == nil)
        let late = book.next(now: start + .seconds(6), wall: wall)
        #expect(late != nil)
    }

    @Test(
        "the name of an Event is a DNS name, and its controller a qualified one, whatever the object and we are called")
    func names() throws {
        let name = String(repeating: "a", count: 229) + "-" + String(repeating: "b", count: 23)
        var book = EventBook(
            controllerName: "example.com/teams/a~b/" + String(repeating: "x", count: 80), instance: "sluice-0",
            now: start)
        tell(&book, [item(.accepted, .false, .unsupportedAddress, "x", name: name)], outcome([name: nil]))
        let first = book.next(now: start, wall: wall)
        guard case .create(let event) = try #require(first).action else {
            Issue.record("no new Event")
            return
        }
        let own = try #require(event["metadata"]?["name"]?.text)
        #expect(own.hasPrefix(String(repeating: "a", count: 229) + ".") && own.utf8.count <= 253, "\(own)")
        #expect(
            event["reportingController"]?.text == "example.com/teams-a-b-" + String(repeating: "x", count: 53))
    }

    @Test("a note is at most 1,024 bytes, and whole characters")
    func longNote() {
        let text = cut(String(repeating: "ä", count: 2000), bytes: 1024)
        #expect(text.utf8.count <= 1024)
        #expect(text.utf8.count > 1018)
        #expect(text.hasSuffix("ä…"))
    }

    @Test("an object that cannot be read is told of, and Events that cannot be written matter to nothing else")
    func wholeWriter() throws {
        let server = try FakeAPIServer()
        server.addRoute("a")
        server.fail(.fake(403, "Forbidden"), times: 1) { $0.path.contains("/events") }
        let harness = try WriterHarness(server)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge", .false)])
        var outcome = Outcome(
            revision: 1, statuses: harness.report, changes: harness.report.items,
            faults: [.init(kind: "TLSRoute", key: key("b"), field: "spec.rules", message: "is no list")],
            snapshot: harness.snapshot, observed: server.observed)
        harness.writer.submit(outcome)
        #expect(waitUntil { server.requests(.post, "/events").count == 2 && server.parents("a").count == 1 })
        #expect(waitUntil { server.paths("/events/").count == 1 })
        let notes = server.requests(.post, "/events").compactMap { request in
            request.body.flatMap { JSONValue(bytes: $0) }?["note"]?.text
        }
        #expect(
            Set(notes) == [
                "spec.rules: is no list; the last version that could be read stays in use",
                "parent default/edge: Accepted is False",
            ])
        (outcome.changes, outcome.observed) = ([], server.observed)
        harness.writer.submit(outcome)
        #expect(waitUntil { harness.writer.isIdle })
        #expect(server.requests(.post, "/events").count == 2)
    }
}
