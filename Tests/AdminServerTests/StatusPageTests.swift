import Primitives
import Testing

@testable import AdminServer

@Suite("Status page", .timeLimit(.minutes(1)))
struct StatusPageTests {
    @Test("it is one document: its style, its script, and nothing from elsewhere")
    func document() throws {
        let page = String(decoding: StatusPage().response(nonce: "0f").body, as: UTF8.self)
        #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
        #expect(page.hasSuffix("</html>\n"))
        #expect(page.components(around: "<style nonce=\"0f\">") == 2)
        #expect(page.components(around: "<script nonce=\"0f\">") == 2)
        // The first and last of what is joined.
        for text in ["color-scheme: light dark;", ".row[role=\"treeitem\"]", "function h(name", "\nnavigated();\n"] {
            #expect(page.contains(text), "\(text)")
        }
        #expect(!page.contains("{{"))
        // A style or script that ends early would be the document's end.
        #expect(page.components(around: "</style>") == 2 && page.components(around: "</script>") == 2)
        let addresses = page.split(separator: "://").dropFirst().map { $0.prefix(while: { !"'\"` >".contains($0) }) }
        #expect(Set(addresses) == ["www.w3.org/2000/svg"])
        for text in [" src=", "@import", "url(", "innerHTML =", "insertAdjacentHTML", "document.write", "eval("] {
            #expect(!page.contains(text), "\(text)")
        }
    }

    @Test("the policy lets nothing run but what carries the nonce, and talks to nobody else")
    func policy() throws {
        let response = StatusPage().response(nonce: "0f")
        let fields = Dictionary(response.fields.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(
            fields["Content-Security-Policy"] == """
                default-src 'none'; script-src 'nonce-0f'; style-src 'nonce-0f'; connect-src 'self'; img-src data:; \
                base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                trusted-types 'none'
                """)
        #expect(fields["Referrer-Policy"] == "no-referrer")
        #expect(fields["X-Frame-Options"] == "DENY")
        #expect(response.contentType == "text/html; charset=utf-8")
    }

    @Test("no two answers share a nonce, and each is 128 bits of the generator")
    func nonces() throws {
        let server = try AdminServer(address: SocketAddress(.loopbackV4, 0), routes: [StatusPage().route]) { "{}" }
        defer { server.stop() }
        let nonces = try (0..<3).map { _ in
            let answer = try RawResponse.of("GET", "/", from: server.address)
            #expect(answer.status == 200)
            let policy = try #require(answer.fields["content-security-policy"])
            let nonce = String(try #require(policy.split(separator: "'nonce-").dropFirst().first).prefix { $0 != "'" })
            #expect(nonce.count == 32)
            #expect(answer.body.components(around: "nonce=\"\(nonce)\"") == 3)
            return nonce
        }
        #expect(Set(nonces).count == 3)
        var zeros = Zeros()
        #expect(StatusPage.nonce(from: &zeros) == String(repeating: "0", count: 32))
    }

    private struct Zeros: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0 }
    }
}

extension String {
    /// How many pieces a mark cuts it into.
    fileprivate func components(around mark: String) -> Int {
        split(separator: mark, omittingEmptySubsequences: false).count
    }
}
