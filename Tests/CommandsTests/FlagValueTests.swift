import Testing

@testable import Commands

@Suite("Flag values")
struct FlagValueTests {
    @Test(
        "durations are those of Gateway API",
        arguments: [("0s", 0), ("500ms", 500), ("1m30s", 90_000), ("1h1m1s1ms", 3_661_001), ("99999s", 99_999_000)])
    func durations(text: String, milliseconds: Int) {
        #expect(parseDuration(text) == .milliseconds(milliseconds))
        #expect(parseDuration(durationText(.milliseconds(milliseconds))) == .milliseconds(milliseconds))
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "10", "1.5s", "s", "1d", "-1s", "100000s", "1s1s1s1s1s", "1 s"])
    func notDurations(text: String) { #expect(parseDuration(text) == nil) }

    @Test(
        "sizes are Kubernetes quantities in bytes",
        arguments: [
            ("0", 0), ("64Mi", 64 << 20), ("1.5Gi", 3 << 29), ("10k", 10_000), ("0.0001k", 1), ("2M", 2_000_000),
        ])
    func sizes(text: String, bytes: Int) { #expect(parseSize(text) == bytes) }

    @Test(
        "what is no size is refused",
        arguments: ["", "Mi", "1m", "64MiB", "-1Mi", "1.2.3", "9999999999999Ti", "1 Mi", ".5", "1."])
    func notSizes(text: String) { #expect(parseSize(text) == nil) }

    @Test("sizes are printed with the largest fitting suffix")
    func sizeTexts() {
        #expect([64 << 20, 3 << 30, 1 << 40, 1500, 0].map(sizeText) == ["64Mi", "3Gi", "1Ti", "1500", "0"])
    }

    @Test("edit distance counts a swap of neighbours once")
    func distance() {
        #expect(editDistance("chekc", "check") == 1)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("kitten", "sitting") == 3)
    }

    @Test("nothing far away is suggested")
    func suggestions() {
        #expect(nearest(to: "--log-levl", among: ["--log-level", "--log-format"]) == "--log-level")
        #expect(nearest(to: "--zzz", among: ["--log-level"]) == nil)
        #expect(nearest(to: "man", among: ["manifests"]) == "manifests")
        #expect(nearest(to: "x", among: []) == nil)
    }
}
