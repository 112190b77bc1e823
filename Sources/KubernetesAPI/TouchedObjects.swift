/// Objects that a source put, changed or took away since the snapshot that it handed over before. Whatever differs between the
/// two is among them, so that nobody has to look for it; not all that is among them differs.
public struct TouchedObjects: Hashable, Sendable {
    private var byKind: [String: Set<ObjectKey>] = [:]

    public init() {}

    /// Notes an object of a kind, such as `TCPRoute`.
    public mutating func note(_ kind: String, _ key: ObjectKey) { byKind[kind, default: []].insert(key) }

    /// Those of a kind.
    public subscript(_ kind: String) -> Set<ObjectKey> { byKind[kind] ?? [] }

    public var isEmpty: Bool { byKind.isEmpty }

    /// What was touched in two steps, one after the other; nil: that of one of them is not known.
    public static func merged(_ first: TouchedObjects?, _ second: TouchedObjects?) -> TouchedObjects? {
        guard var merged = first, let second else { return nil }
        merged.byKind.merge(second.byKind) { $0.union($1) }
        return merged
    }
}
