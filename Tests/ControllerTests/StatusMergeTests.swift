import KubernetesAPI
import Testing

@testable import Controller

@Suite("Status merge")
struct StatusMergeTests {
    private let merge = StatusMerge(controllerName: "sluice.dev/gateway-controller", now: "2026-03-01T12:00:00Z")

    private func json(_ text: String) throws -> JSONValue { try #require(JSONValue(bytes: Array(text.utf8))) }

    private func route(_ parents: [String], status: Condition.Status = .true) throws -> JSONValue {
        let entries = parents.map { name in
            RouteParentStatus(
                parentRef: ParentReference(name: name), controllerName: merge.controllerName,
                conditions: [Condition(.accepted, status, .accepted, observedGeneration: 3)])
        }
        return try JSONValue(encoding: RouteStatus(parents: entries))
    }

    private let theirs = """
        {"parentRef":{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"other","weird":[1,2.5,null]},
         "controllerName":"example.com/controller","conditions":[{"type":"Accepted","status":"False"}],"extra":true}
        """

    @Test("entries of other controllers stay where and as they are")
    func foreignEntries() throws {
        let ours = """
            {"parentRef":{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"edge"},
             "controllerName":"sluice.dev/gateway-controller",
             "conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"","observedGeneration":2,
                            "lastTransitionTime":"2026-01-01T00:00:00Z"}]}
            """
        let observed = try json(#"{"parents":[\#(theirs),\#(ours),\#(theirs)]}"#)
        let changes = try #require(
            merge.changes(.tcpRoute, in: "default", from: observed, to: try route(["edge", "second"])))
        let parents = try #require(changes["parents"]?.elements)
        #expect(parents.count == 4)
        #expect(parents[0] == (try json(theirs)))
        #expect(parents[2] == (try json(theirs)))
        #expect(parents[1]["conditions"]?.elements?[0]["observedGeneration"]?.integer == 3)
        #expect(parents[1]["conditions"]?.elements?[0]["lastTransitionTime"]?.text == "2026-01-01T00:00:00Z")
        #expect(parents[1]["parentRef"]?["kind"]?.text == "Gateway")
        #expect(parents[3]["parentRef"]?["name"]?.text == "second")
        #expect(parents[3]["conditions"]?.elements?[0]["lastTransitionTime"]?.text == "2026-03-01T12:00:00Z")
    }

    @Test("what was written is not to be written again, whatever defaults the server filled in")
    func idempotent() throws {
        let desired = try route(["edge"])
        var written = try #require(merge.changes(.tlsRoute, in: "a", from: nil, to: desired))
        let later = StatusMerge(controllerName: merge.controllerName, now: "2026-03-02T12:00:00Z")
        #expect(later.changes(.tlsRoute, in: "a", from: .object(written), to: desired) == nil)
        var entry = try #require(written["parents"]?.elements?.first?.fields)
        entry["parentRef"] = try json(
            #"{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"edge","namespace":"a"}"#)
        written["parents"] = .array([.object(entry)])
        #expect(later.changes(.tlsRoute, in: "a", from: .object(written), to: desired) == nil)
        #expect(later.changes(.tlsRoute, in: "b", from: .object(written), to: desired) != nil)
    }

    @Test("a status that changes gets a new time")
    func transition() throws {
        let written = JSONValue.object(
            try #require(merge.changes(.tcpRoute, in: "a", from: nil, to: try route(["edge"]))))
        let later = StatusMerge(controllerName: merge.controllerName, now: "2026-03-02T12:00:00Z")
        let changes = later.changes(.tcpRoute, in: "a", from: written, to: try route(["edge"], status: .false))
        let condition = changes?["parents"]?.elements?.first?["conditions"]?.elements?.first
        #expect(condition?["lastTransitionTime"]?.text == "2026-03-02T12:00:00Z")
        #expect(condition?["status"]?.text == "False")
    }

    @Test("at most 32 parents, and not one of another controller gives way")
    func limit() throws {
        let observed = try json(#"{"parents":[\#(Array(repeating: theirs, count: 31).joined(separator: ","))]}"#)
        let changes = merge.changes(.tcpRoute, in: "a", from: observed, to: try route(["a", "b", "c"]))
        let parents = try #require(changes?["parents"]?.elements)
        #expect(parents.count == 32)
        #expect(try parents.prefix(31).allSatisfy { try $0 == json(theirs) })
        #expect(parents[31]["parentRef"]?["name"]?.text == "a")
    }

    @Test("taking back leaves others' entries, and asks for nothing where nothing is ours")
    func takeBack() throws {
        let ours = #"{"parentRef":{"name":"edge"},"controllerName":"sluice.dev/gateway-controller","conditions":[]}"#
        let changes = merge.takeBack(.tcpRoute, from: try json(#"{"parents":[\#(ours),\#(theirs)]}"#))
        #expect(try changes == ["parents": .array([json(theirs)])])
        #expect(merge.takeBack(.tcpRoute, from: try json(#"{"parents":[\#(theirs)]}"#)) == nil)
        #expect(merge.takeBack(.backendTLSPolicy, from: nil) == nil)
    }

    @Test("conditions of others on a Gateway stay, ours that no longer hold go, listeners keep their times")
    func gateway() throws {
        let observed = try json(
            """
            {"addresses":[{"type":"IPAddress","value":"192.0.2.1"}],
             "conditions":[
              {"type":"cost.example.com/Budget","status":"True","reason":"Fine","message":"","lastTransitionTime":"x"},
              {"type":"Accepted","status":"True","reason":"Accepted","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"},
              {"type":"sluice.dev/Warning","status":"True","reason":"Old","message":"","lastTransitionTime":"y"}],
             "listeners":[{"name":"db","attachedRoutes":1,"supportedKinds":[],"conditions":[
              {"type":"Programmed","status":"True","reason":"Programmed","message":"","lastTransitionTime":"2026-01-02T00:00:00Z"}]},
              {"name":"gone","attachedRoutes":0,"conditions":[]}]}
            """)
        let status = GatewayStatus(
            addresses: nil, conditions: [Condition(.accepted, .true, .accepted)],
            listeners: [
                ListenerStatus(name: "db", attachedRoutes: 2, conditions: [Condition(.programmed, .true, .programmed)])
            ])
        let desired = try JSONValue(encoding: status)
        let changes = try #require(merge.changes(.gateway, in: "a", from: observed, to: desired))
        #expect(changes["addresses"] == .null)
        let types = changes["conditions"]?.elements?.compactMap { $0["type"]?.text }
        #expect(types == ["cost.example.com/Budget", "Accepted"])
        let listeners = try #require(changes["listeners"]?.elements)
        #expect(listeners.count == 1)
        #expect(listeners[0]["attachedRoutes"]?.integer == 2)
        #expect(listeners[0]["conditions"]?.elements?[0]["lastTransitionTime"]?.text == "2026-01-02T00:00:00Z")
        let written = observed.merging(.object(changes))
        #expect(merge.changes(.gateway, in: "a", from: written, to: desired) == nil)
    }

    @Test("a Gateway that is given up says what a new one says")
    func gatewayReset() throws {
        let status = GatewayStatus(
            addresses: [.init(type: "IPAddress", value: "192.0.2.1")],
            conditions: [Condition(.accepted, .true, .accepted), Condition(.programmed, .true, .programmed)],
            listeners: [ListenerStatus(name: "db", attachedRoutes: 2)])
        let written = JSONValue.object(
            try #require(merge.changes(.gateway, in: "a", from: nil, to: try JSONValue(encoding: status))))
        let changes = try #require(merge.takeBack(.gateway, from: written))
        #expect(changes["listeners"] == .null)
        #expect(changes["addresses"] == .null)
        let conditions = try #require(changes["conditions"]?.elements)
        #expect(conditions.map { $0["type"]?.text } == ["Accepted", "Programmed"])
        #expect(conditions.allSatisfy { $0["status"]?.text == "Unknown" && $0["reason"]?.text == "Pending" })
        #expect(merge.takeBack(.gateway, from: written.merging(.object(changes))) == nil)
    }

    @Test("at most eight conditions: extra types of ours give way first")
    func manyConditions() throws {
        var conditions = (0..<7).map { Condition(.init("Type\($0)"), .true, .accepted) }
        conditions.insert(Condition(.superseded, .true, .olderRouteServes), at: 0)
        let observed = try json(
            #"{"conditions":[{"type":"a.example/X","status":"True","lastTransitionTime":"x"}]}"#)
        let changes = merge.changes(
            .backend, in: "a", from: observed, to: try JSONValue(encoding: BackendStatus(conditions: conditions)))
        let types = try #require(changes?["conditions"]?.elements?.compactMap { $0["type"]?.text })
        #expect(types == ["a.example/X"] + (0..<7).map { "Type\($0)" })
    }
}
