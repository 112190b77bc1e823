@testable import Observability
import Testing

@Suite("Log line", .timeLimit(.minutes(1)))
struct LogLineTests {
    // 2026-01-02T03:04:05.678Z
    static let time: Int64 = 1_767_323_045_678_999_999

    private func render(
        _ format: LogFormat, _ level: Logger.Level, _ message: String, _ fields: [(key: String, value: LogValue)],
        colours: Bool = false
    ) -> String {
        let entry = LogEntry(time: Self.time, level: level, message: message, fields: fields)
        return String(decoding: LogLine(format: format, colours: colours).render(entry), as: UTF8.self)
    }

    @Test("text shows time, level, message, then fields, quoted only where needed")
    func text() {
        let line = render(
            .text, .info, "listener bound",
            [
                ("listener", "db"), ("port", 5432), ("empty", ""), ("spaced", "a b"), ("equals", "a=b"),
                ("quoted", "say \"hi\""), ("umlaut", "Zürich"), ("nbsp", "a\u{a0}b"), ("newline", "a\nb"), ("ok", true),
                ("ratio", 0.1), ("took", LogValue(.microseconds(1500))),
            ])
        let fields =
            #"listener=db port=5432 empty="" spaced="a b" equals="a=b" quoted="say \"hi\"" umlaut=Zürich "#
            + "nbsp=\"a\u{a0}b\" " + #"newline="a\nb" ok=true ratio=0.1 took=1.5ms"#
        #expect(line == "2026-01-02T03:04:05.678Z INFO  listener bound \(fields)\n")
    }

    @Test("JSON shows time, level, message, then fields with their types")
    func json() {
        let line = render(
            .json, .warning, "backend \"gone\"",
            [
                ("name", "a\\b"), ("count", 3), ("big", LogValue(UInt64.max)), ("ok", false), ("ratio", 1e-7),
                ("nan", LogValue(Double.nan)), ("took", LogValue(.nanoseconds(1_500_000))), ("level", "x"),
            ])
        #expect(
            line
                == #"{"time":"2026-01-02T03:04:05.678Z","level":"warning","message":"backend \"gone\"","name":"a\\b","#
                + #""count":3,"big":18446744073709551615,"ok":false,"ratio":1e-07,"nan":"nan","took":0.0015,"#
                + #""field_level":"x"}"# + "\n")
    }

    @Test("what would break a line or reorder it is escaped in both formats", arguments: [LogFormat.text, .json])
    func escapes(format: LogFormat) {
        let hostile = "a\u{0}b\u{1b}[31mc\u{7f}d\u{85}e\u{2028}f\u{202e}g\r\n\t"
        let line = render(format, .error, "refused", [("sni", LogValue(hostile))])
        let expected = #""a\u0000b\u001b[31mc\u007fd\u0085e\u2028f\u202eg\r\n\t""#
        #expect(line.contains(expected))
        #expect(line.unicodeScalars.filter(\.isUnprintable) == ["\n"])
    }

    @Test("a message cannot forge a second line")
    func messageIsEscaped() {
        #expect(render(.text, .info, "a\nb", []).hasSuffix(#" INFO  a\nb"# + "\n"))
    }

    @Test("invalid UTF-8 becomes the replacement character")
    func invalidUTF8() {
        let line = render(.json, .info, "hello", [("bytes", LogValue(bytes: [0x61, 0xff, 0xc3, 0x28]))])
        #expect(line.contains("\"bytes\":\"a\u{fffd}\u{fffd}(\""))
    }

    @Test("colours are around the level only")
    func colours() {
        #expect(render(.text, .error, "x", [], colours: true).hasSuffix("Z \u{1b}[31mERROR\u{1b}[0m x\n"))
    }

    @Test(
        "timestamps",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999_000_000, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
            (1_735_689_599_000_000_000, "2024-12-31T23:59:59.000Z"),
        ] as [(Int64, String)])
    func timestamps(nanoseconds: Int64, expected: String) {
        var bytes: [UInt8] = []
        Timestamp.append(nanoseconds, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test(
        "durations",
        arguments: [
            (.zero, "0s", "0"), (.nanoseconds(999), "999ns", "0.000000999"), (.nanoseconds(1500), "1.5us", "0.0000015"),
            (.nanoseconds(12_345_678), "12.345ms", "0.012345678"), (.milliseconds(1500), "1.5s", "1.5"),
            (.seconds(86_400), "86400s", "86400"), (.milliseconds(-250), "-250ms", "-0.25"),
            (.seconds(Int64.max), "9223372036.854s", "9223372036.854775807"),
        ] as [(Duration, String, String)])
    func durations(duration: Duration, text: String, seconds: String) {
        #expect(duration.withUnit == text)
        #expect(duration.inSeconds == seconds)
    }

    @Test("auto is text on a terminal and JSON elsewhere")
    func auto() {
        #expect(LogFormat.auto.resolved(isTerminal: true) == .text)
        #expect(LogFormat.auto.resolved(isTerminal: false) == .json)
        #expect(LogFormat.text.resolved(isTerminal: false) == .text)
        #expect(LogFormat.json.resolved(isTerminal: true) == .json)
    }
}
