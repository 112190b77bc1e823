internal import COpenSSL

/// The text of one object, JSON in one line. It may be a Secret's: its memory is zeroed when the last reference goes.
public final class ObjectText: @unchecked Sendable {
    // Sendable because nothing writes to the memory after init.
    private let memory: UnsafeMutableRawBufferPointer

    /// A copy.
    public init(_ bytes: some Collection<UInt8>) {
        memory = .allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
    }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }

    public var count: Int { memory.count }

    /// The bytes, for the time of the call.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(UnsafeRawBufferPointer(memory)) }
}

/// Memory of a fixed size that is zeroed when it goes: the plain text of a cache passes through it.
struct WipedBytes: ~Copyable {
    let memory: UnsafeMutableRawBufferPointer

    init(count: Int) { memory = .allocate(byteCount: count, alignment: 16) }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }

    var count: Int { memory.count }
}
