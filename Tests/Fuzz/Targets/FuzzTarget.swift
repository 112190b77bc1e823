/// What is fed with bytes, and what must hold whatever they are.
struct FuzzTarget: Sendable {
    /// Also that of its folder in Corpora.
    let name: String
    /// Longer inputs find nothing that shorter ones do not.
    let maxLength: Int
    /// Throws a ``BrokenInvariant``; what must never happen besides, such as a trap or a read beyond the end, needs no words.
    let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    static let all: [FuzzTarget] = [
        clientHello, proxyHeader, postgresStart, healthCheck, manifests, kubeconfig, watchEvents, adminRequest,
        connections,
    ]

    static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that must hold for every input, and did not.
struct BrokenInvariant: Error, CustomStringConvertible {
    var description: String
}

/// Throws where a condition does not hold.
func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw BrokenInvariant(description: what()) }
}

/// Throws where two values differ.
func requireEqual<Value: Equatable>(_ left: Value, _ right: Value, _ what: @autoclosure () -> String) throws {
    if left != right { throw BrokenInvariant(description: "\(what()): \(left) is not \(right)") }
}
