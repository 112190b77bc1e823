internal import Certificates
internal import Platform

/// A file that was read and parsed apart from the catalog.
struct PreparedFile: Sendable {
    let digest: ContentDigest
    let content: ParsedFile
}

/// Reads and parses many files on all processors: what a file says depends on nothing but its content. Files with certificates are
/// left to the catalog, which remembers what OpenSSL said of them, and so are those that cannot be read.
struct ParallelParsing: Sendable {
    let unknownFields: ManifestProblem.Severity
    let sizeLimit: Int
    /// Fewer files are not worth a thread.
    static let leastFiles = 256
    private static let batch = 64

    private struct Progress {
        var next = 0
        var done: [String: PreparedFile] = [:]
    }

    func parse(_ paths: [String]) -> [String: PreparedFile] {
        guard paths.count >= ParallelParsing.leastFiles else { return [:] }
        let progress = Locked(Progress())
        let running = Monitored(0)
        for index in 1..<max(1, min(Host.usableProcessors, 8)) {
            running.update { $0 += 1 }
            do throws(Errno) {
                try Thread(named: "manifests-\(index)", wiping: true) {
                    work(on: paths, progress)
                    running.update { $0 -= 1 }
                }.detach()
            } catch {
                // This thread does it, then.
                running.update { $0 -= 1 }
            }
        }
        work(on: paths, progress)
        _ = running.wait { $0 == 0 ? true : nil }
        return progress.withLock { $0.done }
    }

    private func work(on paths: [String], _ progress: Locked<Progress>) {
        var ready: [(String, PreparedFile)] = []
        while true {
            let taken = progress.withLock { progress in
                for (path, file) in ready { progress.done[path] = file }
                let start = progress.next
                progress.next = min(paths.count, start + ParallelParsing.batch)
                return start..<progress.next
            }
            ready = []
            if taken.isEmpty { return }
            for path in paths[taken] { if let file = prepare(path) { ready.append((path, file)) } }
        }
    }

    private func prepare(_ path: String) -> PreparedFile? {
        guard let bytes = try? readFile(path, limit: sizeLimit) else { return nil }
        let facts = FactsCache<ObjectIdentity>()
        var parser = ManifestParser(file: path, unknownFields: unknownFields, facts: facts)
        let content = parser.parse(bytes)
        return facts.computations == 0 ? PreparedFile(digest: ContentDigest(bytes), content: content) : nil
    }
}
