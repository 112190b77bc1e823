internal import KubernetesAPI

/// Gateway API's order of precedence: the older object first, then by namespace and name. Objects without a creation
/// time (from manifests) come after those with one.
struct Precedence: Comparable {
    private let seconds: Int64
    private let key: ObjectKey

    init(_ metadata: ObjectMeta, _ key: ObjectKey) {
        self.seconds = metadata.creationTimestamp?.seconds ?? .max
        self.key = key
    }

    static func < (left: Precedence, right: Precedence) -> Bool {
        left.seconds == right.seconds ? left.key < right.key : left.seconds < right.seconds
    }
}

extension Dictionary where Key == ObjectKey, Value: KubernetesResource {
    /// Objects in order of precedence.
    var byPrecedence: [(key: ObjectKey, value: Value)] {
        let entries = map { (key: $0.key, value: $0.value) }
        return entries.indices.map { (precedence: Precedence(entries[$0].value.metadata, entries[$0].key), index: $0) }
            .sorted { $0.precedence < $1.precedence }
            .map { entries[$0.index] }
    }
}
