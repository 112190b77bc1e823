internal import Platform

/// A file of the tree that is read.
struct FoundFile: Hashable {
    /// As the tree was given, followed by the path within.
    var path: String
    /// Below the root; a root that is a file has its own name.
    var relative: String
    /// Of what the path leads to.
    var status: FileStatus
    /// The path is a symbolic link.
    var isLink: Bool
}

/// What a walk over the tree found.
struct TreeListing {
    var files: [String: FoundFile] = [:]
    var directories: Set<String> = []
    /// Links to nothing, which may become something without an event here.
    var dangling: Set<String> = []
    var problems: [ManifestProblem] = []
}

/// Walks a folder of manifests (or one file). Names that begin with a dot are skipped: a ConfigMap mount shows each file
/// three times. Symbolic links are followed, also to folders, but never in a circle.
struct TreeScanner {
    static let maximumDepth = 32
    /// Without slashes at its end.
    let root: String

    init(root: String) {
        var root = root.isEmpty ? "." : root
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    /// `visit` is called for each folder before it is read, for each link to a file, and for where links of the root's own
    /// path stand: whoever wants to know of changes watches them then.
    func scan(visit: (Visit) -> Void = { _ in }) -> TreeListing {
        var listing = TreeListing()
        visitAncestors(visit)
        do throws(Errno) {
            let status = try FileStatus(of: root)
            switch status.kind {
            case .directory: walk(root, relative: "", above: [status], visit: visit, into: &listing)
            case .regular: add(FoundFile(path: root, relative: name, status: status, isLink: isLink), visit, &listing)
            default: listing.problems.append(problem(root, "is neither a folder nor a file"))
            }
        } catch {
            listing.dangling.insert(root)
            listing.problems.append(problem(root, "cannot be read: \(error)"))
        }
        return listing
    }

    enum Visit: Hashable {
        case directory(String)
        case linkedFile(String)
        /// The folder in which a name stands that the root's path goes through.
        case parent(String, of: String)
    }

    private var name: String { String(root.split(separator: "/").last ?? "") }
    private var isLink: Bool { (try? FileStatus(of: root, followingLinks: false).kind) == .symbolicLink }

    /// The root itself may be replaced, and each link on the way to it may be swapped.
    private func visitAncestors(_ visit: (Visit) -> Void) {
        var parent = root.hasPrefix("/") ? "/" : "."
        let names = root.split(separator: "/").map(String.init)
        for (index, name) in names.enumerated() {
            let path = parent == "/" ? "/\(name)" : parent == "." ? name : "\(parent)/\(name)"
            let isLink = (try? FileStatus(of: path, followingLinks: false).kind) == .symbolicLink
            if isLink || index == names.count - 1 { visit(.parent(parent, of: name)) }
            parent = path
        }
    }

    private func walk(
        _ path: String, relative: String, above: [FileStatus], visit: (Visit) -> Void, into listing: inout TreeListing
    ) {
        listing.directories.insert(path)
        visit(.directory(path))
        let names: [String]
        do throws(Errno) { names = try listDirectory(path) } catch {
            if error != .noEntry { listing.problems.append(problem(path, "cannot be read: \(error)")) }
            return
        }
        for name in names.sorted() where !name.hasPrefix(".") {
            let child = path.hasSuffix("/") ? "\(path)\(name)" : "\(path)/\(name)"
            visitChild(
                child, relative: relative.isEmpty ? name : "\(relative)/\(name)", above: above, visit: visit,
                into: &listing)
        }
    }

    private func visitChild(
        _ path: String, relative: String, above: [FileStatus], visit: (Visit) -> Void, into listing: inout TreeListing
    ) {
        guard let own = try? FileStatus(of: path, followingLinks: false) else { return }
        let isLink = own.kind == .symbolicLink
        guard let status = isLink ? try? FileStatus(of: path) : own else {
            listing.dangling.insert(path)
            return
        }
        switch status.kind {
        case .directory:
            let inCircle = above.contains { $0.device == status.device && $0.inode == status.inode }
            if inCircle || above.count >= Self.maximumDepth {
                let why = inCircle ? "leads back to a folder above it" : "is more than \(Self.maximumDepth) levels deep"
                listing.problems.append(problem(path, "is skipped: \(why)", .warning))
                return
            }
            walk(path, relative: relative, above: above + [status], visit: visit, into: &listing)
        case .regular where Self.isRead(relative):
            add(FoundFile(path: path, relative: relative, status: status, isLink: isLink), visit, &listing)
        default: break
        }
    }

    private func add(_ file: FoundFile, _ visit: (Visit) -> Void, _ listing: inout TreeListing) {
        if file.isLink { visit(.linkedFile(file.path)) }
        listing.files[file.path] = file
    }

    private func problem(_ path: String, _ message: String, _ severity: ManifestProblem.Severity = .error)
        -> ManifestProblem
    { ManifestProblem(severity, file: path, message: message) }

    /// Whether a file of that path below the root is a manifest or part of a certificate volume.
    static func isRead(_ relative: String) -> Bool {
        let name = relative.split(separator: "/").last ?? ""
        guard !name.hasPrefix(".") else { return false }
        return [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) && name.utf8.count > $0.utf8.count }
            || CertificateVolume.key(ofFile: relative) != nil
    }
}
