internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// Pieces of secrets by which they would be known wherever they are written: as they are, and in base64 as a Secret has them.
struct SecretMarks: Sendable {
    private var pieces: [String: [String]] = [:]
    private static let length = 24

    /// A private key in PEM, a token, a key of tickets in base64: whatever is one secret. `lines` shorter than a piece are no marks.
    mutating func add(_ name: String, _ text: String) {
        let wrapped = Data(text.utf8).base64EncodedString()
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("-----") } + [Substring(wrapped)]
        for line in lines where line.count >= SecretMarks.length {
            // The first bytes of a key in PEM say of which type it is, and are the same for all.
            let skip = line == lines.first && text.contains("-----") ? 32 : 0
            for start in Set([skip, (line.count - SecretMarks.length) / 2, line.count - SecretMarks.length])
            where start >= skip && start + SecretMarks.length <= line.count {
                pieces[name, default: []].append(String(line.dropFirst(start).prefix(SecretMarks.length)))
            }
        }
    }

    /// Whose pieces stand in a text.
    func found(in text: String) -> [String] {
        pieces.filter { $0.value.contains { text.contains($0) } }.keys.sorted()
    }

    /// Records an issue for each secret in what was written somewhere.
    func expectNone(in text: String, _ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(found(in: text) == [], "\(place)", sourceLocation: sourceLocation)
        #expect(!text.contains("PRIVATE KEY-----"), "\(place)", sourceLocation: sourceLocation)
    }
}
