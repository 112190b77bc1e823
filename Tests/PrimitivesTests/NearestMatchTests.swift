import Primitives
import Testing

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
