internal import CStatusPage

/// The status page: one document without any outside resource, that asks the paths of its own address for JSON. What it may do is
/// said by a Content-Security-Policy that lets nothing run or look good but its own script and style, by a nonce that no two
/// answers share, and no text become markup.
public struct StatusPage: Sendable {
    /// The document around what stands in for the nonce.
    private let pieces: [[UInt8]]

    /// Puts the parts together, once.
    public init() {
        let parts = [
            "{{style}}": Self.bytes(sluice_page_style()), "{{script}}": Self.bytes(sluice_page_script()),
        ]
        let document = parts.reduce(Self.bytes(sluice_page_html())) { document, part in
            Array(Self.pieces(of: document, around: part.key).joined(separator: part.value))
        }
        pieces = Self.pieces(of: document, around: "{{nonce}}")
    }

    /// `GET /`.
    public var route: HTTPRoute {
        HTTPRoute("/", "the status page") { [self] _ in
            var generator = SystemRandomNumberGenerator()
            return response(nonce: Self.nonce(from: &generator))
        }
    }

    /// The page with this nonce, which is letters and digits.
    func response(nonce: String) -> HTTPResponse {
        var response = HTTPResponse(
            contentType: "text/html; charset=utf-8", body: Array(pieces.joined(separator: Array(nonce.utf8))))
        let policy = [
            "default-src 'none'", "script-src 'nonce-\(nonce)'", "style-src 'nonce-\(nonce)'", "connect-src 'self'",
            "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ]
        response.fields = [
            (name: "Content-Security-Policy", value: policy.joined(separator: "; ")),
            (name: "Referrer-Policy", value: "no-referrer"), (name: "X-Frame-Options", value: "DENY"),
            (name: "Cross-Origin-Opener-Policy", value: "same-origin"),
            (name: "Cross-Origin-Resource-Policy", value: "same-origin"),
        ]
        return response
    }

    /// 128 random bits, as hexadecimal digits.
    static func nonce(from generator: inout some RandomNumberGenerator) -> String {
        (0..<4).map { _ in
            let digits = String(UInt32.random(in: 0...UInt32.max, using: &generator), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private static func bytes(_ part: sluice_page_part) -> [UInt8] {
        Array(UnsafeBufferPointer(start: part.bytes, count: part.count))
    }

    /// What stands before, between and after the places of a mark. By hand: the library's search for a sequence takes a hundred
    /// times as long, at each start of the process.
    private static func pieces(of document: [UInt8], around mark: String) -> [[UInt8]] {
        let mark = Array(mark.utf8)
        var pieces: [[UInt8]] = []
        var (start, index) = (0, 0)
        while index + mark.count <= document.count {
            guard document[index] == mark[0], document[index..<index + mark.count].elementsEqual(mark) else {
                index += 1
                continue
            }
            pieces.append(Array(document[start..<index]))
            index += mark.count
            start = index
        }
        return pieces + [Array(document[start...])]
    }
}
