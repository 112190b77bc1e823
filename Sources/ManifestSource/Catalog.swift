internal import Certificates
internal import KubernetesAPI
internal import Patterns
internal import Platform
internal import Primitives

/// What all files define together, and what stays of it when one of them breaks. No I/O: it is told contents. Used by one
/// thread. The work of a change is that of the objects it touches, however many there are.
///
/// - An object that cannot be used as its file has it keeps its last good version, as long as some file still defines it; where its
///   readers remember that themselves, it is handed to them as it is, if it can be read.
/// - A file that cannot be read to its end keeps what it defined.
/// - Of an object that is defined twice the first place counts: by path, then by line.
struct Catalog {
    /// What is known of one object.
    private struct Entry {
        var definers = Definers()
        /// What counts: its last good version.
        var object: ManifestObject?
    }

    private let unknownFields: ManifestProblem.Severity
    private let facts = FactsCache<ObjectIdentity>()
    private var patternProblems = PatternProblems()
    private var files: [String: CatalogFile] = [:]
    private var entries: [ObjectIdentity: Entry] = [:]
    /// Volumes whose pair does not match and whose last good version is kept in silence, with the time since when.
    private(set) var held: [String: MonotonicTime] = [:]
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

    /// The same, for content that was parsed already.
    mutating func update(_ path: String, _ prepared: PreparedFile) {
        guard files[path]?.digest != prepared.digest else { return }
        replace(path, with: prepared.content, digest: prepared.digest)
    }

    func parallelParsing(sizeLimit: Int) -> ParallelParsing {
        ParallelParsing(unknownFields: unknownFields, sizeLimit: sizeLimit)
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
        let since = held[path] ?? now
        if now - since >= patience { return replace(path, with: parsed.content, digest: nil) }
        held[path] = since
    }

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
        store(CatalogFile(content, digest: digest), at: path)
    }

    private mutating func store(_ file: CatalogFile?, at path: String) {
        let old = files[path]
        files[path] = file
        held[path] = nil
        for claim in old?.content.claims ?? [] {
            touched.insert(claim.identity)
            if file?.defines(claim.identity) != true { entries[claim.identity]?.definers.remove(path) }
        }
        for claim in file?.content.claims ?? [] {
            touched.insert(claim.identity)
            if old?.defines(claim.identity) != true { entries[claim.identity, default: Entry()].definers.insert(path) }
        }
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
        if !settled[BackendPolicy.resourceKind.kind].isEmpty {
            current.patternProblems = patternProblems.of(current.backendPolicies.values.flatMap(\.patterns))
        }
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
        let last = entries[identity]?.object
        guard let first = claims.first else {
            entries[identity] = nil
            facts.forget(identity)
            guard let last else { return false }
            last.remove(from: &current, as: identity.key)
            return true
        }
        let refused = first.claim.refused
        let usable =
            first.claim.object?.keepingGoodFacts(of: last)
            ?? (last == nil || refused?.isRemembered == true ? refused : nil)
        guard let object = usable, object != last else { return false }
        entries[identity]?.object = object
        object.add(to: &current, as: identity.key)
        return true
    }

    private func claims(of identity: ObjectIdentity) -> [(file: String, claim: Claim)] {
        (entries[identity]?.definers.paths ?? []).flatMap { path in
            (files[path]?.claims(of: identity) ?? []).map { (path, $0) }
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
