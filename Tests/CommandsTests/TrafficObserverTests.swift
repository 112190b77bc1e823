import EngineModel
import Inspection
import Platform
import TestSupport
import Testing

@testable import Commands

@Suite("Observer of traffic", .timeLimit(.minutes(1)))
struct TrafficObserverTests {
    @Test("it takes samples until it is stopped")
    func samples() throws {
        let plane = FakeDataPlane()
        plane.update { state in
            state.samples = (1...5).map { count in
                var sample = TrafficSample()
                sample.accepted = UInt64(count)
                return sample
            }
        }
        let observer = TrafficObserver(plane.makeSampler(), interval: .milliseconds(5))
        #expect(observer.live.history == [])
        try observer.start()
        #expect(waitUntil { observer.live.total.accepted == 5 })
        observer.stop()
        let history = observer.live.history
        #expect(history.prefix(5).map(\.accepted) == [1, 2, 3, 4, 5])
        #expect(zip(history, history.dropFirst()).allSatisfy { $0.time <= $1.time })
        observer.stop()
        #expect(observer.live.history == history)
    }

    @Test("one that never ran can be stopped")
    func idle() { TrafficObserver(FakeDataPlane().makeSampler()).stop() }
}
