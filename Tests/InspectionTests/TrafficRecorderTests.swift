import EngineModel
import Inspection
import Testing

@Suite("Traffic recorder")
struct TrafficRecorderTests {
    private let listener = ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: "db")
    private let route = RouteID(kind: "TCPRoute", namespace: "infra", name: "db")
    private var use: TrafficSample.Place { .route(.init(listener: listener, route: route)) }
    private let start: Int64 = 1_700_000_040_000

    private func sample(
        accepted: UInt64 = 0, _ refusals: [TrafficSample.Refusal] = []
    ) -> TrafficSample {
        var sample = TrafficSample()
        (sample.accepted, sample.active, sample.requestBytes) = (accepted, 2, accepted * 10)
        sample.refusals = refusals
        return sample
    }

    @Test("nothing is known before the first sample")
    func empty() {
        let live = TrafficRecorder().live()
        #expect(live.history == [] && live.refusals == [] && live.total == LiveTraffic.Sample())
    }

    @Test("the last ten minutes are kept, the oldest first")
    func history() {
        var recorder = TrafficRecorder()
        for second in 0..<(TrafficRecorder.length + 25) {
            recorder.record(sample(accepted: UInt64(second)), at: start + Int64(second) * 1000)
        }
        let live = recorder.live()
        #expect(live.history.map(\.accepted) == (25..<UInt64(TrafficRecorder.length + 25)).map { $0 })
        #expect(live.total == live.history.last && live.time == start + 624_000)
        #expect(live.total.accepted == 624 && live.total.active == 2 && live.total.requestBytes == 6240)
    }

    @Test("refusals are counted by reason and place, by minute, for ten minutes, in the words of their cause")
    func refusals() throws {
        var recorder = TrafficRecorder()
        recorder.record(sample([.init(.listener(listener), .noRoute, count: 3)]), at: start)
        recorder.record(
            sample([
                .init(.listener(listener), .noRoute, count: 4), .init(use, .connectRefused, count: 1),
                .init(.listener(listener), .clientClosed, count: 9),
            ]), at: start + 60_000)
        recorder.record(sample(), at: start + 120_000)
        var live = recorder.live()
        #expect(live.refusals.map(\.place) == ["Gateway infra/edge/db", "TCPRoute infra/db"])
        #expect(live.refusals.map(\.reason) == ["no_route", "connect_refused"])
        #expect(live.refusals[0].minutes == [0, 0, 0, 0, 0, 0, 0, 3, 4, 0])
        #expect(live.refusals[1].minutes == [0, 0, 0, 0, 0, 0, 0, 0, 1, 0])
        let cause = try #require(Cause.of(.noRoute))
        #expect(live.refusals[0].meaning == cause.meaning && live.refusals[0].advice == cause.advice)
        #expect(live.total.failed == 17)
        recorder.record(sample([.init(use, .connectRefused, count: 2)]), at: start + 10 * 60_000)
        live = recorder.live()
        #expect(live.refusals.map(\.reason) == ["no_route", "connect_refused"])
        #expect(live.refusals[0].minutes == [4, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(live.refusals[1].minutes == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2])
        recorder.record(sample(), at: start + 11 * 60_000)
        #expect(recorder.live().refusals.map(\.minutes) == [[0, 0, 0, 0, 0, 0, 0, 0, 2, 0]])
        recorder.record(sample(), at: start + 60 * 60_000)
        #expect(recorder.live().refusals == [])
        #expect(recorder.live().total.failed == 19)
    }

    @Test("what was refused since the newest sample is noted without one, and told by place")
    func recent() {
        var recorder = TrafficRecorder()
        recorder.record(sample([.init(.listener(listener), .noRoute, count: 3)]), at: start)
        recorder.note([.init(.listener(listener), .noRoute, count: 1), .init(use, .connectRefused, count: 1)])
        #expect(recorder.recent() == [.listener(listener): [.noRoute: 4], use: [.connectRefused: 1]])
        #expect(recorder.live().history.map(\.failed) == [3])
        recorder.record(sample(), at: start + 1000)
        #expect(recorder.live().history.map(\.failed) == [3, 5])
        recorder.record(sample(), at: start + 10 * 60_000)
        #expect(recorder.recent() == [:])
    }

    @Test("a route at two listeners is one place to show, and two to explain")
    func twoListeners() {
        var (recorder, other) = (TrafficRecorder(), listener)
        other.listener = "other"
        let second = TrafficSample.Place.route(.init(listener: other, route: route))
        recorder.record(
            sample([.init(use, .connectRefused, count: 1), .init(second, .connectRefused, count: 2)]), at: start)
        #expect(recorder.live().refusals.map(\.minutes) == [[0, 0, 0, 0, 0, 0, 0, 0, 0, 3]])
        #expect(recorder.recent() == [use: [.connectRefused: 1], second: [.connectRefused: 2]])
    }

    @Test("a clock that is set back loses nothing")
    func clock() {
        var recorder = TrafficRecorder()
        recorder.record(sample([.init(.listener(listener), .noRoute, count: 1)]), at: start)
        recorder.record(sample([.init(.listener(listener), .noRoute, count: 2)]), at: start - 600_000)
        #expect(recorder.live().refusals.map(\.minutes) == [[0, 0, 0, 0, 0, 0, 0, 0, 0, 3]])
    }

    @Test("samples have the dates that a clock which was set since would have given them")
    func dates() {
        var recorder = TrafficRecorder()
        for second in [Int64(7), 8, 9] { recorder.record(sample(), at: second * 1000) }
        for beginning in [start, start - 86_400_000] {
            let live = recorder.live(since: beginning)
            #expect(live.history.map(\.time) == [7000, 8000, 9000].map { beginning + $0 })
            #expect(live.time == beginning + 9000 && live.total.time == live.time)
        }
    }

    @Test("of objects only those are told that are asked for")
    func selection() {
        var report = TrafficReport()
        var (accepted, opened, connected) = (ListenerTraffic(), RouteTraffic(), BackendTraffic())
        (accepted.accepted, opened.opened, connected.connected) = (1, 2, 3)
        let other = ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: "web")
        let backend = BackendID(kind: "Service", namespace: "infra", name: "db", port: 5432)
        report.listeners = [listener: accepted, other: accepted]
        report.routes = [.init(listener: listener, route: route): opened, .init(listener: other, route: route): opened]
        report.backends = [backend: connected]
        var live = LiveTraffic()
        live.take(report, TrafficSelection(listeners: ["infra/edge/db", "infra/edge/none"]))
        #expect(live.listeners.mapValues(\.accepted) == ["infra/edge/db": 1])
        #expect(live.routes == [:] && live.backends == [:])
        live.take(report, TrafficSelection(routes: ["TCPRoute infra/db"], backends: ["Service infra/db:5432"]))
        #expect(live.routes.mapValues(\.opened) == ["TCPRoute infra/db": 4])
        #expect(live.backends.mapValues(\.connected) == ["Service infra/db:5432": 3])
    }
}
