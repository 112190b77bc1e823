import Primitives
import Testing

@Suite("Printable text")
struct PrintableTests {
    @Test("one line, however long and whatever is in it")
    func lines() {
        #expect(printable("a\nb\tc\u{1B}[31m é😀\u{202E}") == "a\\nb\\tc\\u{1b}[31m é😀\\u{202e}")
        #expect(printable(String(repeating: "x", count: 100), limit: 3) == "xxx…")
    }
}

@Suite("Nearest match")
struct NearestMatchTests {
    @Test(
        "finds what was meant, and nothing far-fetched",
        arguments: [
            ("listenrs", "listeners"), ("Listeners", "listeners"), ("lisetners", "listeners"), ("prot", "port"),
            ("gatewayClass", nil), ("x", nil), ("adresses", "addresses"), ("", nil),
        ] as [(String, String?)])
    func nearest(word: String, expected: String?) {
        #expect(nearestMatch(to: word, among: ["listeners", "port", "gatewayClassName", "addresses"]) == expected)
    }
}
