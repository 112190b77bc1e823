internal import KubernetesAPI
internal import Platform
internal import Primitives

/// What all files define together, and what stays of it when one of them breaks. No I/O: it is told contents. Used by one
/// thread.
///
/// - An object that cannot be used as its file has it keeps its last good version, as long as some file still defines it.
/// - A file that cannot be read to its end keeps what it defined.
/// - Of an object that is defined twice the first place counts: by path, then by line.
struct Catalog {
    private struct File {
        var digest: Digest?
        var content = ParsedFile()
        /// Set while a mounted pair does not match and its last good version is kept in silence.
        var heldSince: MonotonicTime?
    }

    private let unknownFields: ManifestProblem.Severity
    private let facts = FactsCache()
    private var files: [String: File] = [:]
    private var lastGood: [ObjectIdentity: ManifestObject] = [:]
    /// Problems of the tree itself: folders that cannot be read.
    var treeProblems: [ManifestProblem] = []

    init(unknownFields: ManifestProblem.Severity) { self.unknownFields = unknownFields }

    /// How often OpenSSL was asked for facts.
    var factsComputed: Int { facts.computations }

    /// Takes the content of a file as it is now.
    mutating func update(_ path: String, content: [UInt8]) {
        let digest = Digest(content)
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

    mutating func remove(_ path: String) { files[path] = nil }

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

    private mutating func replace(_ path: String, with parsed: ParsedFile, digest: Digest?) {
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
        files[path] = File(digest: digest, content: content)
    }
}

extension Catalog {
    /// The state of everything. `asOf` in seconds since 1970.
    mutating func snapshot(asOf: Int64) -> ManifestSnapshot {
        var result = ManifestSnapshot(snapshot: ClusterSnapshot(asOf: asOf), problems: treeProblems)
        var claimed: [ObjectIdentity: (file: String, line: Int)] = [:]
        var good: [ObjectIdentity: ManifestObject] = [:]
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            result.problems += file.content.problems
            for kind in file.content.unknownKinds where result.unknownKinds[kind] == nil {
                result.unknownKinds[kind] = path
            }
            for claim in file.content.claims {
                if let first = claimed[claim.identity] {
                    result.problems.append(duplicate(claim, in: path, first: first))
                    continue
                }
                claimed[claim.identity] = (path, claim.line)
                let last = lastGood[claim.identity]
                guard let object = claim.object?.keepingGoodFacts(of: last) ?? last else { continue }
                good[claim.identity] = object
                object.add(to: &result.snapshot, as: claim.identity.key)
            }
        }
        lastGood = good
        facts.keep(only: Set(claimed.keys))
        result.problems.sort { ($0.file, $0.line, $0.field, $0.message) < ($1.file, $1.line, $1.field, $1.message) }
        return result
    }

    private func duplicate(_ claim: Claim, in path: String, first: (file: String, line: Int)) -> ManifestProblem {
        let place = first.line > 0 ? "\(first.file):\(first.line)" : first.file
        return ManifestProblem(
            .error, file: path, line: claim.line, object: claim.identity.description,
            message: "is already defined in \(place), which stays")
    }
}
