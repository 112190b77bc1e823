@testable internal import AdminServer
@testable internal import Commands
internal import EngineModel
internal import Platform
internal import Primitives

extension FuzzTarget {
    /// What comes to the admin address: the HTTP library's parser, and behind it paths, queries, Host and Origin, filters. The first
    /// byte says how it is cut.
    static let adminRequest = FuzzTarget(name: "admin-request", maxLength: 2048) { bytes in
        guard let first = bytes.first else { return }
        let request = Array(bytes[1...])
        let server = try AdminUnderTest.shared.get()
        let (answer, seen) = try server.answer(to: request, inPiecesOf: first < 200 ? request.count : Int(first) - 199)
        try checkAnswer(answer, request)
        try require(seen.count <= 1, "\(seen.count) requests of one connection were answered")
        if let seen = seen.first {
            try checkSeen(seen, request, status: answer.status)
        } else {
            try require(
                answer.status != 200 || answer.body.isEmpty || answer.text.contains("sluice admin")
                    || answer.text.contains("{}"),
                "200 from nobody")
        }
    }

    private static func checkAnswer(_ answer: AdminAnswer, _ request: [UInt8]) throws {
        guard !answer.text.isEmpty else { return }
        let known = [200, 400, 403, 404, 405, 411, 413, 414, 417, 421, 431, 500, 501, 503, 505]
        try require(known.contains(answer.status), "an answer of \(answer.status): \(answer.text)")
        try require(answer.status != 500, "500: \(answer.text)")
        try require(answer.field("access-control-allow-origin") == nil, "a field of CORS")
        // What the library refuses itself is not ours.
        guard answer.field("x-content-type-options") != nil else { return }
        try requireEqual(answer.field("connection"), "close", "Connection")
        let isHead = request.drop { $0 == 13 || $0 == 10 }.starts(with: Array("HEAD".utf8))
        if !isHead { try requireEqual(answer.field("content-length"), String(answer.body.count), "Content-Length") }
        if answer.field("content-type") == "application/json", !isHead {
            try require(isJSON(answer.body), "no JSON: \(answer.text)")
        }
    }

    /// What a handler was given is what the request says, read once more here.
    private static func checkSeen(_ seen: HTTPRequest, _ raw: [UInt8], status: Int) throws {
        let text = String(decoding: raw, as: UTF8.self).lowercased()
        try require(isLocal(seen.host), "Host \(seen.host ?? "none") was let in")
        if seen.method == .post {
            try require(seen.action?.isEmpty == false && text.contains("x-sluice-action"), "a POST without the field")
            try require(seen.fetchSite?.lowercased() != "same-site", "a POST of another site")
        }
        try require(seen.fetchSite?.lowercased() != "cross-site", "a page of another site")
        if let origin = seen.origin {
            let own = seen.host?.lowercased() ?? ""
            try require(
                ["http://" + own, "https://" + own].contains(origin.lowercased()), "Origin \(origin) of \(own)")
        }
        // The request line, where it is plainly one.
        var line = raw.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false).first ?? []
        if line.last == 13 { line.removeLast() }
        let words = line.split(separator: 32, omittingEmptySubsequences: false)
        guard words.count == 3, line.allSatisfy({ $0 >= 32 && $0 < 127 }) else { return }
        let target = words[1].split(separator: 63, maxSplits: 1, omittingEmptySubsequences: false)
        // The library hands a path on as C's text, which %00 ends.
        let path = decoded(target[0], plusIsSpace: false).prefix { $0 != "\0" }
        try requireEqual(seen.path, String(path), "path of \(String(decoding: words[1], as: UTF8.self))")
        guard target.count == 2 else { return try require(seen.parameters.isEmpty, "parameters from nowhere") }
        let parts = target[1].split(separator: 38).map { part in
            let pair = part.split(separator: 61, maxSplits: 1, omittingEmptySubsequences: false)
            return HTTPRequest.Parameter(
                decoded(pair[0], plusIsSpace: true), pair.count == 2 ? decoded(pair[1], plusIsSpace: true) : nil)
        }
        try requireEqual(seen.parameters, parts, "parameters of \(String(decoding: words[1], as: UTF8.self))")
    }

    private static func isLocal(_ host: String?) -> Bool {
        guard let host = host?.lowercased() else { return false }
        let name = host.hasPrefix("[") ? host.dropFirst().prefix { $0 != "]" } : host.prefix { $0 != ":" }
        return name == "localhost" || name == "localhost." || name.hasPrefix("127.")
            || IPAddress(name)?.isLoopback == true
    }

    private static func decoded(_ bytes: some Collection<UInt8>, plusIsSpace: Bool) -> String {
        var (rest, result) = (ArraySlice(Array(bytes)), [UInt8]())
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16)
            {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte == UInt8(ascii: "+") && plusIsSpace ? 32 : byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
