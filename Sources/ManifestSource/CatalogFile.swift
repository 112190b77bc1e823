internal import Certificates

/// One file of a ``Catalog``: what it says, and where it says it of an object. Most files hold one object, so that what is kept of
/// each counts thousands of times.
struct CatalogFile {
    let content: ParsedFile
    /// Nil where the content was not taken as a whole.
    let digest: ContentDigest?
    /// Where the first claim of each object stands; empty where there are so few that they are looked through.
    private var first: [ObjectIdentity: Int] = [:]
    /// Where the claims after the first stand.
    private var further: [ObjectIdentity: [Int]] = [:]
    private static let few = 8

    init(_ content: ParsedFile, digest: ContentDigest?) {
        (self.content, self.digest) = (content, digest)
        guard content.claims.count > CatalogFile.few else { return }
        first.reserveCapacity(content.claims.count)
        for (index, claim) in content.claims.enumerated() {
            if first[claim.identity] == nil {
                first[claim.identity] = index
            } else {
                further[claim.identity, default: []].append(index)
            }
        }
    }

    func defines(_ identity: ObjectIdentity) -> Bool {
        isIndexed ? first[identity] != nil : content.claims.contains { $0.identity == identity }
    }

    /// In the order of the file.
    func claims(of identity: ObjectIdentity) -> [Claim] {
        guard isIndexed else { return content.claims.filter { $0.identity == identity } }
        guard let index = first[identity] else { return [] }
        return [content.claims[index]] + (further[identity] ?? []).map { content.claims[$0] }
    }

    private var isIndexed: Bool { content.claims.count > CatalogFile.few }
}

/// The paths of the files that define an object, sorted. Nearly always it is one, which then needs no array.
struct Definers {
    private var first: String?
    private var others: [String] = []

    var paths: [String] { first.map { [$0] + others } ?? [] }

    mutating func insert(_ path: String) {
        guard let first else { return self.first = path }
        guard path != first, !others.contains(path) else { return }
        others = ([first, path] + others).sorted()
        self.first = others.removeFirst()
    }

    mutating func remove(_ path: String) {
        others.removeAll { $0 == path }
        if first == path { first = others.isEmpty ? nil : others.removeFirst() }
    }
}
