internal import EngineModel

/// A ``CertificatePrincipal`` made ready to be asked.
struct CertificateRule: Sendable {
    private let dnsNames: TextSet?
    private let uris: TextSet?
    private let emails: TextSet?
    private let spkiHashes: TextSet?
    private let issuerCommonNames: TextSet?
    /// Some list of it has no entry.
    let matchesNobody: Bool

    init(_ principal: CertificatePrincipal) {
        dnsNames = principal.dnsNames.map { TextSet($0.map(CertificateRule.lowercased)) }
        uris = principal.uris.map { TextSet($0) }
        emails = principal.emails.map { TextSet($0) }
        spkiHashes = principal.spkiHashes.map { TextSet($0.map { .exact($0) }) }
        issuerCommonNames = principal.issuerCommonNames.map { TextSet($0.map { .exact($0) }) }
        matchesNobody = [dnsNames, uris, emails, spkiHashes, issuerCommonNames].contains { $0?.isEmpty == true }
    }

    func matches(_ identity: ClientIdentity) -> Bool {
        if let dnsNames, !identity.dnsNames.contains(where: { dnsNames.matches($0) }) { return false }
        if let uris, !identity.uris.contains(where: { uris.matches($0) }) { return false }
        if let emails, !identity.emails.contains(where: { emails.matches($0) }) { return false }
        if let spkiHashes, !spkiHashes.matches(identity.spkiHash) { return false }
        if let issuerCommonNames, !identity.issuerCommonNames.contains(where: { issuerCommonNames.matches($0) }) {
            return false
        }
        return true
    }

    /// A DNS name's letters are ASCII; others are left alone.
    private static func lowercased(_ pattern: TextPattern) -> TextPattern {
        switch pattern {
        case .exact(let text): .exact(lowercased(text))
        case .prefix(let text): .prefix(lowercased(text))
        case .suffix(let text): .suffix(lowercased(text))
        }
    }

    private static func lowercased(_ text: String) -> String {
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return String(decoding: text.utf8.map { letters.contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// Patterns of texts, as many of them as possible behind one hash.
struct TextSet: Sendable {
    private let exact: Set<ByteText>
    private let others: [TextPattern]

    init(_ patterns: [TextPattern]) {
        var exact: Set<ByteText> = []
        var others: [TextPattern] = []
        for pattern in patterns {
            if case .exact(let text) = pattern { exact.insert(ByteText(text: text)) } else { others.append(pattern) }
        }
        (self.exact, self.others) = (exact, others)
    }

    var isEmpty: Bool { exact.isEmpty && others.isEmpty }

    func matches(_ text: String) -> Bool {
        exact.contains(ByteText(text: text)) || others.contains { $0.matches(text) }
    }
}

/// A text that equals another byte for byte: `String` takes texts for equal that merely look alike.
private struct ByteText: Hashable, Sendable {
    let text: String

    static func == (left: ByteText, right: ByteText) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
