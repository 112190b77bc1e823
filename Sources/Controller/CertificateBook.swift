internal import KubernetesAPI
internal import Translation

/// The certificates in use, and how often a version of each was read.
public struct CertificateBook: Sendable {
    struct Reads: Hashable, Sendable {
        var good: UInt64 = 0
        var invalid: UInt64 = 0
    }
    private struct Part: Hashable {
        var object: ObjectKey
        var usage: CertificateUse.Usage
    }

    private(set) var uses: [CertificateUse] = []
    /// Of what is in use.
    private(set) var reads: [ObjectKey: Reads] = [:]

    init() {}

    /// Takes in what is referred to now. What is in use no more is forgotten, with its counts.
    mutating func update(_ now: [CertificateUse]) {
        guard now != uses else { return }
        let before = CertificateBook.versions(uses)
        for (part, version) in CertificateBook.versions(now) where before[part]?.version != version.version {
            var reads = reads[part.object] ?? Reads()
            if version.isInvalid { reads.invalid += 1 } else { reads.good += 1 }
            self.reads[part.object] = reads
        }
        uses = now
        let objects = Set(now.map(\.object))
        reads = reads.filter { objects.contains($0.key) }
    }

    /// An object that several listeners use is read once.
    private static func versions(_ uses: [CertificateUse]) -> [Part: CertificateUse] {
        Dictionary(uses.map { (Part(object: $0.object, usage: $0.usage), $0) }) { first, _ in first }
    }
}
