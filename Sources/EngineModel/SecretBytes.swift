/// Bytes of a key, zeroed when the last holder lets go of them. Any thread.
final class SecretBytes: Hashable, @unchecked Sendable {
    // Sendable because they are written in init only.
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ content: some Collection<UInt8>) {
        bytes = .allocate(capacity: content.count)
        _ = bytes.initialize(from: content)
    }

    deinit {
        SecretBytes.zero(bytes)
        bytes.deallocate()
    }

    /// They must not leave `body` by a copy that outlives its use.
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        body(UnsafeBufferPointer(bytes))
    }

    /// Never inlined: stores to memory that is freed next are stores that a compiler may leave out.
    @inline(never)
    private static func zero(_ bytes: UnsafeMutableBufferPointer<UInt8>) { bytes.update(repeating: 0) }

    static func == (left: SecretBytes, right: SecretBytes) -> Bool { left.bytes.elementsEqual(right.bytes) }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
}
