internal import EngineModel

/// Backends by identity, in parts that successive tables share: a copy costs a few hundred references, and a change one part,
/// however many backends there are.
struct BackendMap: Sendable, Sequence {
    private var parts = [[BackendID: BackendRuntime]](repeating: [:], count: 256)

    subscript(_ id: BackendID) -> BackendRuntime? {
        get { parts[BackendMap.part(of: id)][id] }
        set { parts[BackendMap.part(of: id)][id] = newValue }
    }

    func makeIterator() -> AnyIterator<(key: BackendID, value: BackendRuntime)> {
        AnyIterator(parts.lazy.joined().makeIterator())
    }

    private static func part(of id: BackendID) -> Int { Int(truncatingIfNeeded: id.hashValue) & 0xff }
}
