import EngineModel
import Testing

@Suite("Close reasons")
struct CloseReasonTests {
    @Test("a reason's number is its place among all of them")
    func indices() { #expect(CloseReason.allCases.map(\.index) == Array(CloseReason.allCases.indices)) }
}
