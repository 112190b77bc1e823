internal import Platform

/// What tells of changes in files: inotify, or in tests something that fails as inotify can.
protocol FileWatcher: AnyObject, Sendable {
    var raw: Int32 { get }
    func add(_ path: String, _ events: FileEvents) throws(Errno) -> Int32
    func remove(_ watch: Int32)
    func read() throws(Errno) -> [FileEvent]
}

extension Inotify: FileWatcher {}

/// Knows which files of the tree are there and which must be read anew. Used by one thread.
///
/// A file is read when a writer closes it or a rename puts it in place, not while it is being written. Whatever changes
/// the shape of the tree (folders, links, a mounted volume's `..data`) leads to a walk, which also watches what is new.
/// Where events were lost or cannot be had, a walk compares times and sizes too, and is repeated.
final class TreeWatch {
    struct Changes {
        /// To be read.
        var changed: [FoundFile] = []
        /// Paths below and with the root.
        var removed: [FoundFile] = []
        var problems: [ManifestProblem]
    }

    private let scanner: TreeScanner
    private let watcher: (any FileWatcher)?
    private let scanInterval: Duration
    private(set) var files: [String: FoundFile] = [:]
    private var directories: Set<String> = []
    private var problems: [ManifestProblem] = []
    private var watches: [Int32: Set<TreeScanner.Visit>] = [:]
    /// Files whose reading failed: to be tried again.
    private var failed: Set<String> = []

    private var dirty: Set<String> = []
    /// Files that were made and not closed yet.
    private var unfinished: Set<String> = []
    private var needsWalk = true
    private var lostEvents = true
    /// Why there are no watches on everything; nil when there are.
    private(set) var degraded: Errno?
    /// When to walk without an event; nil when nothing calls for it.
    private(set) var nextScan: MonotonicTime?

    init(root: String, watcher: (any FileWatcher)?, missing: Errno? = nil, scanInterval: Duration) {
        scanner = TreeScanner(root: root)
        self.watcher = watcher
        self.scanInterval = scanInterval
        degraded = missing
    }

    /// Whether ``collect(now:)`` would have something to do.
    var hasWork: Bool { needsWalk || !dirty.isEmpty }

    /// Remembers that a file could not be read.
    func failedToRead(_ path: String) {
        failed.insert(path)
        nextScan = nextScan ?? MonotonicTime.now() + scanInterval
    }

    /// A walk without an event is due.
    func scan() { (needsWalk, lostEvents) = (true, true) }

    /// What is to be read now.
    func collect(now: MonotonicTime) -> Changes {
        var changes = Changes(problems: [])
        if needsWalk { walk(now: now, into: &changes) } else { visitDirty(into: &changes) }
        dirty = []
        changes.problems = problems
        return changes
    }

    private func visitDirty(into changes: inout Changes) {
        for path in dirty.sorted() {
            failed.remove(path)
            let own = try? FileStatus(of: path, followingLinks: false)
            guard let status = try? FileStatus(of: path), status.kind == .regular else {
                if let file = files.removeValue(forKey: path) { changes.removed.append(file) }
                continue
            }
            let file = FoundFile(
                path: path, relative: relative(path), status: status, isLink: own?.kind == .symbolicLink)
            files[path] = file
            changes.changed.append(file)
        }
    }

    private func walk(now: MonotonicTime, into changes: inout Changes) {
        let trustsNothing = lostEvents || degraded != nil
        if lostEvents { unfinished = [] }
        let lostSomeAfterStart = lostEvents && !directories.isEmpty
        (needsWalk, lostEvents) = (false, false)
        let listing = scanAndWatch()
        unfinished.formIntersection(listing.files.keys)
        var current = listing.files
        // What is being written stays as it was.
        for path in unfinished { current[path] = files[path] }
        for (path, file) in files where current[path] == nil {
            changes.removed.append(file)
            failed.remove(path)
        }
        for (path, file) in current.sorted(by: { $0.key < $1.key }) where mustRead(file, trustsNothing: trustsNothing) {
            failed.remove(path)
            changes.changed.append(file)
        }
        files = current
        directories = listing.directories
        problems = listing.problems
        let again = degraded != nil || lostSomeAfterStart || !listing.dangling.isEmpty || !failed.isEmpty
        nextScan = again ? now + scanInterval : nil
    }

    private func mustRead(_ file: FoundFile, trustsNothing: Bool) -> Bool {
        guard !dirty.contains(file.path), !failed.contains(file.path), let known = files[file.path] else { return true }
        if trustsNothing || file.isLink || known.isLink { return known != file }
        return (known.status.device, known.status.inode) != (file.status.device, file.status.inode)
    }

    private func relative(_ path: String) -> String {
        path == scanner.root ? path : String(path.dropFirst(scanner.root.count).drop { $0 == "/" })
    }
}

extension TreeWatch {
    private static let all: FileEvents = [
        .attributes, .closeWrite, .movedFrom, .movedTo, .create, .delete, .deleteSelf, .moveSelf, .addToMask,
    ]
    /// Of a folder in which only one name matters: /tmp may be full of others' doings.
    private static let names: FileEvents = [.movedFrom, .movedTo, .create, .delete, .deleteSelf, .moveSelf, .addToMask]

    /// Walks, with a watch on each folder before it is read; watches on what is gone end.
    private func scanAndWatch() -> TreeListing {
        guard let watcher else { return scanner.scan() }
        var kept: [Int32: Set<TreeScanner.Visit>] = [:]
        var missing: Errno?
        let rootIsFolder = (try? FileStatus(of: scanner.root).kind) == .directory
        let listing = scanner.scan { visit in
            let (path, events) =
                switch visit {
                case .directory(let path), .linkedFile(let path): (path, Self.all)
                case .parent(let path, _): (path, rootIsFolder ? Self.names : Self.all)
                }
            do throws(Errno) {
                kept[try watcher.add(path, events), default: []].insert(visit)
            } catch  where error == .noEntry || error == .permissionDenied {
                // Gone again, or not readable: the walk itself reports what matters.
            } catch {
                missing = error
            }
        }
        for watch in watches.keys where kept[watch] == nil { watcher.remove(watch) }
        watches = kept
        degraded = missing
        return listing
    }

    /// Takes what has happened; returns whether any of it matters.
    func takeEvents() -> Bool {
        guard let watcher else { return false }
        do throws(Errno) {
            for event in try watcher.read() { take(event) }
        } catch {
            scan()
        }
        return hasWork
    }

    private func take(_ event: FileEvent) {
        if event.events.contains(.overflow) { return scan() }
        for role in watches[event.watch] ?? [] {
            switch role {
            case .directory(let path): takeChild(event, in: path)
            case .linkedFile(let path):
                dirty.insert(path)
                if event.events.rawValue & ~FileEvents.closeWrite.rawValue != 0 { needsWalk = true }
            case .parent(_, let name):
                if event.name == name { takeRoot(event) } else if event.name.isEmpty { needsWalk = true }
            }
        }
    }

    /// An event of the name under which the root, or a link on the way to it, stands.
    private func takeRoot(_ event: FileEvent) {
        if files[scanner.root] != nil || directories.isEmpty {
            if event.events.contains(.closeWrite) || event.events.contains(.movedTo) { dirty.insert(scanner.root) }
            if event.events.contains(.create), isRegular(scanner.root) { unfinished.insert(scanner.root) }
            if event.events.contains(.closeWrite) { unfinished.remove(scanner.root) }
        }
        if !event.events.intersection([.create, .movedTo, .movedFrom, .delete]).isEmpty { needsWalk = true }
        if files.isEmpty, !event.events.intersection([.closeWrite, .attributes]).isEmpty { needsWalk = true }
    }

    private func takeChild(_ event: FileEvent, in directory: String) {
        guard !event.name.isEmpty else {
            if !event.events.intersection([.deleteSelf, .moveSelf, .attributes]).isEmpty { needsWalk = true }
            return
        }
        let path = directory.hasSuffix("/") ? "\(directory)\(event.name)" : "\(directory)/\(event.name)"
        let appearsOrGoes = !event.events.intersection([.create, .movedTo, .movedFrom, .delete]).isEmpty
        if event.name.hasPrefix(".") {
            // `..data` and `..2026_…` of a mounted volume: its files' links lead through them.
            if appearsOrGoes, event.name.hasPrefix("..") || isLink(path) { needsWalk = true }
            return
        }
        if event.events.contains(.isDirectory) || directories.contains(path) {
            if appearsOrGoes || event.events.contains(.attributes) { needsWalk = true }
        } else if appearsOrGoes, isLink(path) || files[path]?.isLink == true {
            dirty.insert(path)
            needsWalk = true
        } else if TreeScanner.isRead(relative(path)) {
            takeFile(event.events, path)
        }
    }

    private func takeFile(_ events: FileEvents, _ path: String) {
        if !events.intersection([.closeWrite, .movedTo, .movedFrom, .delete]).isEmpty {
            unfinished.remove(path)
            dirty.insert(path)
        } else if events.contains(.create) {
            // A second name of a finished file (link(2)) is never closed.
            if let status = try? FileStatus(of: path, followingLinks: false), status.links > 1 {
                dirty.insert(path)
            } else {
                unfinished.insert(path)
                dirty.remove(path)
            }
        } else if events.contains(.attributes), failed.contains(path) {
            dirty.insert(path)
        }
    }

    private func isLink(_ path: String) -> Bool {
        (try? FileStatus(of: path, followingLinks: false).kind) == .symbolicLink
    }

    private func isRegular(_ path: String) -> Bool {
        (try? FileStatus(of: path, followingLinks: false).kind) == .regular
    }
}
