internal import FoundationEssentials
internal import KubernetesAPI
internal import Observability
internal import SnapshotCache

/// The objects of one informer: decodes what comes and keeps it in the ``ClusterContents``. Of one thread.
protocol ResourceCache: AnyObject {
    /// The kind, in the version that is read.
    var kind: ResourceKind { get set }
    /// A new list begins: what comes is held back until it is whole.
    func begin()
    /// Takes a page of a list. Throws where it is none.
    func page(_ body: [UInt8]) throws -> (continueToken: String?, resourceVersion: String)
    /// Takes a line of a watch; `isInitial`: it belongs to a streaming list.
    func line(_ line: [UInt8], isInitial: Bool) throws -> WatchLine
    /// The list is whole: it replaces what was there.
    func commit()
    /// The kind or the reference is gone, and so are its objects.
    func clear()
    /// What is not let in any more goes.
    func prune()
    /// Objects as a cache on disk has them: they are there until a list is whole. What the server says of their statuses is
    /// not known.
    func restore(_ texts: [ObjectText])
}

/// What a line of a watch says to the informer.
enum WatchLine: Hashable {
    case version(String, endsInitialEvents: Bool)
    case error(APIStatus)
    /// To be passed over.
    case nothing
}

/// Which objects of a kind an informer has.
struct CacheScope: Hashable {
    /// Nil: all.
    var namespace: String?
    /// Nil: all.
    var name: String?

    func contains(_ key: ObjectKey) -> Bool {
        (namespace.map { $0 == key.namespace } ?? true) && (name.map { $0 == key.name } ?? true)
    }
}

/// How the objects of a kind become entries of the ``ClusterContents``.
struct EntryRule<Resource: KubernetesResource, Entry: Hashable> {
    typealias Path = ReferenceWritableKeyPath<ClusterContents, [ObjectKey: Entry]>

    let path: Path
    /// What is raised when an entry changes.
    let changed: ReferenceWritableKeyPath<ClusterContents, Bool>
    /// Makes an entry; gets the one that is there. Throws where the object cannot be used: that one stays.
    let make: (Resource, Entry?) throws(ObjectFault) -> Entry
    /// The object is gone.
    let forget: (ObjectKey) -> Void
    /// Objects that are let in; others count as absent.
    var admits: (ObjectKey) -> Bool = { _ in true }
    /// The entry is, at least in part, that of older bytes than the object's.
    var isOlder: (Entry) -> Bool = { _ in false }
    /// Whether the objects may be kept on disk.
    var isKept = true
}

final class TypedCache<Resource: KubernetesResource, Entry: Hashable>: ResourceCache {
    var kind: ResourceKind
    private let contents: ClusterContents
    private let scope: CacheScope
    private let rule: EntryRule<Resource, Entry>
    private let logger: Logger
    private let keepsStatus: Bool
    private let decoder = JSONDecoder()
    /// What a list has brought so far.
    private var pending: [ObjectKey: Received] = [:]

    /// An object, and its text where that is kept.
    private typealias Received = (object: ReceivedObject<Resource>, text: ObjectText?)

    init(
        kind: ResourceKind, scope: CacheScope, contents: ClusterContents, rule: EntryRule<Resource, Entry>,
        logger: Logger
    ) {
        (self.kind, self.scope, self.contents, self.rule, self.logger) = (kind, scope, contents, rule, logger)
        keepsStatus = kindsWithStatus.contains(Resource.resourceKind.kind)
    }

    func begin() { pending = [:] }

    func page(_ body: [UInt8]) throws -> (continueToken: String?, resourceVersion: String) {
        let page = try decoder.decode(ListPage<Resource>.self, from: Data(body))
        guard let version = page.metadata.resourceVersion, !version.isEmpty else {
            throw ObjectFault(field: "metadata.resourceVersion", message: "is required in a list")
        }
        let texts = texts(ofItems: page.items?.count ?? 0, in: body)
        for (index, object) in (page.items ?? []).enumerated() {
            if object.metadata.name == nil {
                logger.error("object without a name in a list", ["resource": LogValue(kind.plural)])
            } else if scope.contains(object.key) {
                pending[object.key] = (object, texts.isEmpty ? nil : texts[index])
            }
        }
        return (page.metadata.continue, version)
    }

    func line(_ line: [UInt8], isInitial: Bool) throws -> WatchLine {
        switch try decoder.decode(WatchEvent<Resource>.self, from: Data(line)) {
        case .put(let object):
            try requireName(of: object)
            if scope.contains(object.key) {
                let received = (object, text(ofEvent: line))
                if isInitial { pending[object.key] = received } else { put(received) }
            }
            return .version(object.metadata.resourceVersion ?? "", endsInitialEvents: false)
        case .deleted(let object):
            try requireName(of: object)
            if isInitial { pending[object.key] = nil } else if scope.contains(object.key) { remove(object.key) }
            return .version(object.metadata.resourceVersion ?? "", endsInitialEvents: false)
        case .bookmark(let version, let endsInitialEvents):
            return .version(version, endsInitialEvents: endsInitialEvents)
        case .error(let status): return .error(status.status)
        case .unknown(let type):
            logger.warning(
                "watch event of an unknown type", ["resource": LogValue(kind.plural), "type": LogValue(type)])
            return .nothing
        }
    }

    private func requireName(of object: ReceivedObject<Resource>) throws {
        if object.metadata.name == nil { throw ObjectFault(field: "metadata.name", message: "is required") }
    }

    func commit() {
        let current = pending
        pending = [:]
        for key in known where current[key] == nil { remove(key) }
        for received in current.values { put(received) }
    }

    func restore(_ texts: [ObjectText]) {
        for text in texts {
            // What is not even an object says nothing about which one it is.
            let received = try? text.withBytes { try decoder.decode(ReceivedObject<Resource>.self, from: Data($0)) }
            guard let object = received else {
                logger.error("object of the cache cannot be read", ["resource": LogValue(kind.plural)])
                continue
            }
            if object.metadata.name != nil, scope.contains(object.key), rule.admits(object.key) {
                enter((object, text), object.key)
            }
        }
    }

    func clear() {
        pending = [:]
        for key in known { remove(key) }
    }

    func prune() {
        for key in known where !rule.admits(key) { remove(key) }
    }

    /// The keys of this informer's objects, those that never could be read included.
    private var known: Set<ObjectKey> {
        if let name = scope.name {
            return [ObjectKey(namespace: kind.namespaced ? scope.namespace ?? "" : "", name: name)]
        }
        var keys = Set(contents[keyPath: rule.path].keys)
        if keepsStatus { keys.formUnion((contents.observed.byKind[kind.kind] ?? [:]).keys) }
        for identity in contents.faults.keys where identity.kind == kind.kind { keys.insert(identity.key) }
        return keys.filter { scope.contains($0) }
    }

    private func put(_ received: Received) {
        let key = received.object.key
        guard rule.admits(key) else { return remove(key) }
        observe(received.object, key)
        enter(received, key)
    }

    private func enter(_ received: Received, _ key: ObjectKey) {
        let old = contents[keyPath: rule.path][key]
        do throws(ObjectFault) {
            let entry = try rule.make(try received.object.resource.get(), old)
            settle(key)
            // What is served is kept, and not the bytes that it could not be made of.
            if let texts, let text = received.text, old == nil || !rule.isOlder(entry) {
                texts.keep(text, of: key, kind, matters: entry != old)
            }
            guard entry != old else { return }
            contents[keyPath: rule.path][key] = entry
            contents.touched.note(kind.kind, key)
            contents[keyPath: rule.changed] = true
        } catch {
            report(error, of: key, keepsOld: old != nil)
        }
    }

    private func remove(_ key: ObjectKey) {
        settle(key)
        if keepsStatus, contents.observed.byKind[kind.kind]?.removeValue(forKey: key) != nil {
            contents.observedChanged = true
        }
        rule.forget(key)
        texts?.remove(key, kind)
        guard contents[keyPath: rule.path].removeValue(forKey: key) != nil else { return }
        contents.touched.note(kind.kind, key)
        contents[keyPath: rule.changed] = true
    }

    /// Where the texts of the objects are kept; nil: they are not.
    private var texts: ObjectTexts? {
        guard rule.isKept, let texts = contents.texts, texts.admits(kind) else { return nil }
        return texts
    }

    /// Of a list with so many items; empty where they are not kept.
    private func texts(ofItems count: Int, in body: [UInt8]) -> [ObjectText?] {
        guard let texts, count > 0 else { return [] }
        return body.withUnsafeBufferPointer { bytes in
            let cutter = JSONCutter(bytes)
            guard let items = cutter.value(of: "items"), let ranges = cutter.elements(of: items), ranges.count == count
            else {
                texts.noteGap("a list of \(kind.plural) cannot be taken apart")
                return []
            }
            return ranges.map { text(in: $0, cutter, texts) }
        }
    }

    private func text(ofEvent line: [UInt8]) -> ObjectText? {
        guard let texts else { return nil }
        return line.withUnsafeBufferPointer { bytes in
            let cutter = JSONCutter(bytes)
            return text(in: cutter.value(of: "object"), cutter, texts)
        }
    }

    private func text(in range: Range<Int>?, _ cutter: JSONCutter, _ texts: ObjectTexts) -> ObjectText? {
        guard let range, let text = cutter.kept(range, keepsStatus: !keepsStatus, noise: noise) else {
            texts.noteGap("an object of \(kind.plural) cannot be taken apart")
            return nil
        }
        return ObjectText(text)
    }

    private func observe(_ object: ReceivedObject<Resource>, _ key: ObjectKey) {
        guard keepsStatus, let uid = object.metadata.uid, let version = object.metadata.resourceVersion else { return }
        var observed = ObservedStatus(
            uid: uid, resourceVersion: version, generation: object.metadata.generation, version: kind.version,
            status: object.status)
        observed.conditionManagers = object.conditionManagers
        guard contents.observed.byKind[kind.kind]?[key] != observed else { return }
        contents.observed.byKind[kind.kind, default: [:]][key] = observed
        contents.observedChanged = true
    }

    private func report(_ fault: ObjectFault, of key: ObjectKey, keepsOld: Bool) {
        let identity = ObjectIdentity(kind: kind.kind, key: key)
        contents.faultCounts[kind.plural, default: 0] += 1
        guard contents.faults[identity] != fault else { return }
        contents.faults[identity] = fault
        contents.observedChanged = true
        logger.error(
            keepsOld ? "object cannot be read, its last good version stays" : "object cannot be read",
            [
                LogKey.object: LogValue(identity.description), "version": LogValue(kind.apiVersion),
                "field": LogValue(fault.field), "problem": LogValue(fault.message),
            ])
    }

    private func settle(_ key: ObjectKey) {
        if contents.faults.isEmpty { return }
        if contents.faults.removeValue(forKey: ObjectIdentity(kind: kind.kind, key: key)) != nil {
            contents.observedChanged = true
        }
    }
}
