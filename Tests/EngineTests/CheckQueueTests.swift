@testable import Engine
import Testing

@Suite("Checks that wait for their turn")
struct CheckQueueTests {
    @Test("the line keeps its order, and no more room than those who wait need, though it is never empty")
    func neverEmpty() {
        var queue = CheckQueue()
        for slot in Int32(0)..<10 { queue.push(slot) }
        for turn in Int32(0)..<100_000 {
            #expect(queue.pop() == turn % 10)
            queue.push(turn % 10)
        }
        #expect(queue.places < 10_000)
        for slot in Int32(0)..<10 { #expect(queue.pop() == slot) }
        #expect(queue.isEmpty)
        #expect(queue.pop() == nil)
    }
}
