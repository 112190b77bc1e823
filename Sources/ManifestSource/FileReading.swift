internal import Platform

/// One tree of manifests and what it says: brings what changed in the files into the catalog. Used by one thread.
struct FileReading {
    private(set) var catalog: Catalog
    /// Bytes of the largest file that is read.
    static let sizeLimit = 16 << 20

    init(unknownFields: ManifestProblem.Severity) { catalog = Catalog(unknownFields: unknownFields) }

    /// The state of everything, and whether an object differs from the last call's. `asOf` in seconds since 1970.
    mutating func snapshot(asOf: Int64) -> (state: ManifestSnapshot, objectsChanged: Bool) {
        catalog.snapshot(asOf: asOf)
    }

    mutating func setTreeProblems(_ problems: [ManifestProblem]) { catalog.treeProblems = problems }

    /// Reads what a tree reports as changed. `patience` is how long a mounted pair may stay without a match.
    mutating func apply(_ changes: TreeWatch.Changes, of tree: TreeWatch, now: MonotonicTime, patience: Duration?) {
        catalog.treeProblems = changes.problems
        var volumes: Set<String> = []
        for file in changes.removed {
            if CertificateVolume.key(ofFile: file.relative) != nil {
                volumes.insert(Self.directory(file.path))
            } else {
                catalog.remove(file.path)
            }
        }
        var files: [FoundFile] = []
        for file in changes.changed {
            if CertificateVolume.key(ofFile: file.relative) != nil {
                volumes.insert(Self.directory(file.path))
            } else {
                files.append(file)
            }
        }
        let prepared = catalog.parallelParsing(sizeLimit: Self.sizeLimit).parse(files.map(\.path))
        for file in files {
            if let ready = prepared[file.path] { catalog.update(file.path, ready) } else { read(file, of: tree) }
        }
        for volume in volumes { read(volume: volume, of: tree, now: now, patience: patience) }
    }

    /// Looks again at the volumes whose patience is over.
    mutating func reviewHeld(of tree: TreeWatch, now: MonotonicTime, patience: Duration) {
        for (volume, since) in catalog.held where now - since >= patience {
            read(volume: volume, of: tree, now: now, patience: patience)
        }
    }

    /// When the next held volume is to be looked at.
    func nextReview(patience: Duration) -> MonotonicTime? { catalog.held.values.map { $0 + patience }.min() }

    private mutating func read(_ file: FoundFile, of tree: TreeWatch) {
        do throws(Errno) {
            catalog.update(file.path, content: try readFile(file.path, limit: Self.sizeLimit))
        } catch  where error == .noEntry {
            catalog.remove(file.path)
        } catch {
            tree.failedToRead(file.path)
            catalog.fail(file.path, reason: error.description)
        }
    }

    private mutating func read(volume: String, of tree: TreeWatch, now: MonotonicTime, patience: Duration?) {
        let members = CertificateVolume.fileNames.compactMap { tree.files["\(volume)/\($0)"] }
        guard let key = members.first.flatMap({ CertificateVolume.key(ofFile: $0.relative) }) else {
            return catalog.remove(volume)
        }
        var contents: [String: [UInt8]] = [:]
        for file in members {
            do throws(Errno) {
                contents[String(file.path.dropFirst(volume.count + 1))] = try readFile(
                    file.path, limit: Self.sizeLimit)
            } catch  where error == .noEntry {
                continue
            } catch {
                tree.failedToRead(file.path)
                return catalog.fail(volume, reason: error.description)
            }
        }
        catalog.update(
            volume, volume: CertificateVolume(key: key, contents: contents), now: now, patience: patience)
    }

    private static func directory(_ path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
