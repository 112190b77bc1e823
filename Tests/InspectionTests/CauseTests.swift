import EngineModel
import FoundationEssentials
import Inspection
import Testing

@Suite("Causes")
struct CauseTests {
    @Test("every reason has words, but for orderly ends")
    func complete() {
        for reason in CloseReason.allCases {
            let isOrderly = [.clientClosed, .backendClosed].contains(reason)
            #expect((Cause.of(reason) == nil) == isOrderly, "\(reason.rawValue)")
        }
        #expect(Cause.all.count == CloseReason.allCases.count - 2)
        #expect(Cause.named("no_endpoints") == Cause.of(.noEndpoints))
        #expect(Cause.named("client_closed") == nil)
        #expect(Cause.named("no such reason") == nil)
    }

    @Test("words are one sentence each, and each reason's own")
    func sentences() {
        let words = (Cause.all + Cause.details).flatMap { [$0.meaning, $0.advice] }
        for text in words {
            #expect(text.first?.isLowercase == true || text.hasPrefix("TLS"), "\(text)")
            #expect(!text.hasSuffix(".") && !text.contains(". ") && !text.contains("\n"), "\(text)")
        }
        #expect(Set((Cause.all + Cause.details).map(\.meaning)).count == Cause.all.count + Cause.details.count)
        #expect(Set(Cause.details.map(\.name)).count == Cause.details.count)
    }

    @Test("the detail of a failed handshake says more, under the reason's name")
    func details() throws {
        let cause = try #require(Cause.of(.tlsError, detail: "client_cert_expired: certificate has expired"))
        #expect(cause.name == "tls_error")
        #expect(cause.meaning == "the client's certificate is expired or not valid yet")
        #expect(Cause.of(.tlsError, detail: "something else") == Cause.of(.tlsError))
        #expect(Cause.of(.connectRefused, detail: "no_certificate") == Cause.of(.connectRefused))
        #expect(Cause.of(.clientClosed, detail: "no_certificate") == nil)
    }

    @Test("docs/reference/reasons.md is made from the table")
    func page() throws {
        let root = String(#filePath.dropLast("Tests/InspectionTests/CauseTests.swift".count))
        let path = root + "docs/reference/reasons.md"
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] != nil {
            try Self.text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == Self.text, "run `make golden`")
    }

    private static var text: String {
        let head = """
            # Reasons

            Why connections end: `close_reason` of the [access log](../access-log.md), `reason` of the [metrics](metrics.md), what
            `sluice explain` and the status page name. The orderly ends are `client_closed` and `backend_closed`. `make golden` writes
            this page.


            """
        let middle = """

            ## What a handshake failed of

            Where the reason is `tls_error`, `close_detail` begins with one of these, which are also `result` of
            `sluice_tls_handshakes_total`.


            """
        return head + table(Cause.all, "reason") + middle + table(Cause.details, "detail")
    }

    private static func table(_ causes: [Cause], _ name: String) -> String {
        "| \(name) | what happened | what to do |\n| --- | --- | --- |\n"
            + causes.map { "| `\($0.name)` | \($0.meaning) | \($0.advice) |\n" }.joined()
    }
}
