internal import Certificates
internal import KubernetesAPI
internal import Platform
internal import Primitives

/// What all files define together, and what stays of it when one of them breaks. No I/O: it is told contents. Used by one
/// thread. The work of a change is that of the objects it touches, however many there are.
///
/// - An object that cannot be used as its file has it keeps its last good version, as long as some file still defines it.
/// - A file that cannot be read to its end keeps what it defined.
/// - Of an object that is defined twice the first place counts: by path, then by line.
struct Catalog {
    private struct File {
        var digest: ContentDigest?
        var content = ParsedFile() {
            didSet { claims = Dictionary(grouping: content.claims, by: \.identity) }
        }
        private(set) var claims: [ObjectIdentity: [Claim]] = [:]
        /// Set while a mounted pair does not match and its last good version is kept in silence.
        var heldSince: MonotonicTime?
    }

    private let unknownFields: ManifestProblem.Severity
    private let facts = FactsCache<ObjectIdentity>()
    private var files: [String: File] = [:]
    /// Which files define an object, by path.
    private var definers: [ObjectIdentity: [String]] = [:]
    /// What counts of each object: its last good version.
    private var objects: [ObjectIdentity: ManifestObject] = [:]
    private var current = ClusterSnapshot(asOf: 0)
    /// Objects whose files changed since the last snapshot.
    private var touched: Set<ObjectIdentity> = []
    /// Files with problems or unknown kinds, and objects that are defined twice.
    private var reporting: Set<String> = []
    private var disputed: Set<ObjectIdentity> = []
    /// Problems of the tree itself: folders that cannot be read.
    var treeProblems: [ManifestProblem] = []

    init(unknownFields: ManifestProblem.Severity) { self.unknownFields = unknownFields }

    /// How often OpenSSL was asked for facts.
    var factsComputed: Int { facts.computations }

    /// Takes the content of a file as it is now.
    mutating func update(_ path: String, content: [UInt8]) {
        let digest = ContentDigest(content)
        guard files[path]?.digest != digest else { return }
        var parser = ManifestParser(file: path, unknownFields: unknownFields, facts: facts)
        replace(path, with: parser.parse(content), digest: digest)
    }

    /// A file that is there but cannot be read keeps what it defined.
    mutating func fail(_ path: String, reason: String) {
        var parsed = ParsedFile()
        parsed.isBroken = true
        parsed.problems = [ManifestProblem(.error, file: path, message: "cannot be read: \(reason)")]
        replace(path, with: parsed, digest: nil)
    }

    mutating func remove(_ path: String) { store(nil, at: path) }

    /// Takes the files of a mounted certificate volume. A key pair that is not usable is given `patience` before it is
    /// reported, because its files may be written one after the other; nil reports at once.
    mutating func update(_ path: String, volume: CertificateVolume, now: MonotonicTime, patience: Duration?) {
        let parsed = volume.parse(path: path, facts: facts)
        guard let patience, parsed.pairProblem else {
            replace(path, with: parsed.content, digest: nil)
            return
        }
        let since = files[path]?.heldSince ?? now
        if now - since >= patience { return replace(path, with: parsed.content, digest: nil) }
        files[path, default: File()].heldSince = since
    }

    /// Volumes whose pair does not match, with the time since when.
    var held: [String: MonotonicTime] { files.compactMapValues(\.heldSince) }

    private mutating func replace(_ path: String, with parsed: ParsedFile, digest: ContentDigest?) {
        let old = files[path]?.content
        var content = parsed
        if parsed.isBroken {
            content.claims = old?.claims ?? []
            content.unknownKinds = old?.unknownKinds ?? []
        } else if !parsed.anonymous.isEmpty, let old {
            let claimed = Set(parsed.claims.map(\.identity))
            for claim in old.claims where parsed.anonymous.contains(claim.place) && !claimed.contains(claim.identity) {
                var kept = claim
                kept.object = nil
                content.claims.append(kept)
            }
        }
        var file = File(digest: digest)
        file.content = content
        store(file, at: path)
    }

    private mutating func store(_ file: File?, at path: String) {
        let old = Set((files[path]?.claims ?? [:]).keys)
        let new = Set((file?.claims ?? [:]).keys)
        files[path] = file
        for identity in old.subtracting(new) { definers[identity]?.removeAll { $0 == path } }
        for identity in new.subtracting(old) {
            let paths = definers[identity] ?? []
            let place = paths.firstIndex { path < $0 } ?? paths.endIndex
            definers[identity, default: []].insert(path, at: place)
        }
        touched.formUnion(old.union(new))
        let reports = file.map { !$0.content.problems.isEmpty || !$0.content.unknownKinds.isEmpty } ?? false
        if reports { reporting.insert(path) } else { reporting.remove(path) }
    }
}

extension Catalog {
    /// The state of everything, and whether an object differs from the last call's. `asOf` in seconds since 1970.
    mutating func snapshot(asOf: Int64) -> (state: ManifestSnapshot, objectsChanged: Bool) {
        var changed = false
        var settled = TouchedObjects()
        for identity in touched where settle(identity) {
            settled.note(identity.kind, identity.key)
            changed = true
        }
        touched = []
        current.asOf = asOf
        var state = ManifestSnapshot(snapshot: current, problems: treeProblems)
        state.touched = settled
        for path in reporting.sorted() {
            guard let content = files[path]?.content else { continue }
            state.problems += content.problems
            for kind in content.unknownKinds where state.unknownKinds[kind] == nil { state.unknownKinds[kind] = path }
        }
        for identity in disputed { state.problems += duplicates(of: identity) }
        state.problems.sort { ($0.file, $0.line, $0.field, $0.message) < ($1.file, $1.line, $1.field, $1.message) }
        return (state, changed)
    }

    /// Decides what counts of an object whose files changed; true when that is another value than before.
    private mutating func settle(_ identity: ObjectIdentity) -> Bool {
        let claims = claims(of: identity)
        if claims.count > 1 { disputed.insert(identity) } else { disputed.remove(identity) }
        let last = objects[identity]
        guard let first = claims.first else {
            definers[identity] = nil
            facts.forget(identity)
            guard let last else { return false }
            objects[identity] = nil
            last.remove(from: &current, as: identity.key)
            return true
        }
        let usable = first.claim.object?.keepingGoodFacts(of: last) ?? (last == nil ? first.claim.refused : nil)
        guard let object = usable, object != last else { return false }
        objects[identity] = object
        object.add(to: &current, as: identity.key)
        return true
    }

    private func claims(of identity: ObjectIdentity) -> [(file: String, claim: Claim)] {
        (definers[identity] ?? []).flatMap { path in
            (files[path]?.claims[identity] ?? []).map { (path, $0) }
        }
    }

    private func duplicates(of identity: ObjectIdentity) -> [ManifestProblem] {
        let claims = claims(of: identity)
        guard let first = claims.first else { return [] }
        let place = first.claim.line > 0 ? "\(first.file):\(first.claim.line)" : first.file
        return claims.dropFirst().map { other in
            ManifestProblem(
                .error, file: other.file, line: other.claim.line, object: identity.description,
                message: "is already defined in \(place), which stays")
        }
    }
}
