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
}
