import EventStream
import Testing

@testable import Commands

@Suite("Flags of events")
struct EventFlagTests {
    private func interpret(_ flags: [String]) -> Interpretation {
        Interpretation(["run", "--manifests", "/tmp"] + flags, environment: { _ in nil })
    }

    private func settings(_ flags: String...) throws -> EventSettings? {
        guard case .run(let options) = interpret(flags) else { throw Refusal() }
        return options.events
    }
    private struct Refusal: Error {}

    @Test("there are none by default")
    func off() throws { #expect(try settings() == nil) }

    @Test("a URL or a file, and what goes with it")
    func sinks() throws {
        var expected = EventSettings(sink: .file(path: "/var/log/events"))
        expected.userAgent = "sluice/\(sluiceVersion) (linux)"
        #expect(try settings("--event-sink", "/var/log/events") == expected)
        expected.sink = .url("https://events.example/in?key=1")
        (expected.spool, expected.spoolSize) = ("/var/spool/sluice", 1 << 30)
        (expected.authorities, expected.tokenFile) = ("/ca.crt", "/token")
        expected.source = "https://eu.example/sluice"
        #expect(
            try settings(
                "--event-sink", "https://events.example/in?key=1", "--event-spool", "/var/spool/sluice",
                "--event-spool-size", "1Gi", "--event-ca-file", "/ca.crt", "--event-token-file", "/token",
                "--event-source", "https://eu.example/sluice") == expected)
    }

    @Test("the environment says the same")
    func environment() {
        let variables = ["SLUICE_EVENT_SINK": "http://127.0.0.1:9/"]
        guard
            case .run(let options) = Interpretation(["run", "--manifests", "/tmp"], environment: { variables[$0] })
        else {
            Issue.record("refused")
            return
        }
        #expect(options.events?.sink == .url("http://127.0.0.1:9/"))
    }

    @Test(
        "what cannot be obeyed is refused",
        arguments: [
            (["--event-spool", "/spool"], "--event-spool needs --event-sink"),
            (["--event-sink", "/file", "--event-token-file", "/token"], "--event-token-file needs a URL"),
            (["--event-sink", "/file", "--event-ca-file", "/ca"], "--event-ca-file needs a URL"),
            (["--event-sink", "ftp://example.org/"], "--event-sink"), (["--event-sink", ""], "--event-sink"),
            (["--event-sink", "/file", "--event-source", "a \"b\""], "--event-source"),
            (["--event-sink", "/file", "--event-source", "/sluice/"], "--event-source"),
            (["--event-sink", "/file", "--event-spool-size", "1"], "--event-spool-size"),
        ])
    func refused(flags: [String], words: String) {
        guard case .refuse(let line) = interpret(flags) else {
            Issue.record("not refused: \(flags)")
            return
        }
        #expect(line.contains(words))
    }
}
