import KubernetesAPI
import Testing

@Suite("Conditions")
struct ConditionTests {
    @Test("a message is at most 32,768 code points, however many of them a character has")
    func longMessage() {
        let character = "e" + String(repeating: "\u{301}", count: 9)
        let cut = Condition(.accepted, .false, .invalid, String(repeating: character, count: 5000)).message
        #expect(cut.unicodeScalars.count <= 32_768 && cut.unicodeScalars.count > 31_000)
        #expect(cut.hasSuffix("…"))
        let whole = String(repeating: "x", count: 32_768)
        #expect(Condition(.accepted, .false, .invalid, whole).message == whole)
    }
}
