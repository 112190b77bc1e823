import KubernetesAPI
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "means seconds since 1970",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-11-21T12:00:00Z", 1_795_262_400),
            ("2026-11-21T12:00:00.123456Z", 1_795_262_400), ("2026-11-21T14:30:00+02:30", 1_795_262_400),
            ("2026-11-21T10:00:00-02:00", 1_795_262_400), ("1969-12-31T23:59:59Z", -1),
        ] as [(String, Int64)])
    func parses(text: String, seconds: Int64) {
        #expect(Timestamp(text)?.seconds == seconds)
    }

    @Test(
        "refuses what is not RFC 3339",
        arguments: [
            "", "2026", "2026-11-21", "2026-11-21 12:00:00Z", "2026-11-21T12:00:00", "2026-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T12:00:00.Z", "2026-11-21T12:00:00Zx",
            "2026-11-21T12:00:00+0100", "2026-11-21T12:00:00.5",
        ])
    func refuses(text: String) {
        #expect(Timestamp(text) == nil)
    }
}
