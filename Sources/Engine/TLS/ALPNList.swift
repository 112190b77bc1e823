internal import COpenSSL

/// ALPN names in wire format, at a stable address; held by a route, and so by every connection that was given it.
final class ALPNList: @unchecked Sendable {
    // Sendable because it is written in init only.
    let wire: UnsafeMutablePointer<sluice_alpn_list>
    /// As they were given.
    let names: [String]

    /// What nearly all routes offer: nothing.
    static let none = ALPNList([])

    /// Names of 1–255 bytes, in the order of preference; others are left out.
    init(_ names: [String]) {
        self.names = names
        let bytes = names.filter { (1...255).contains($0.utf8.count) }
            .flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        memory.initialize(from: bytes, count: bytes.count)
        wire = .allocate(capacity: 1)
        wire.initialize(to: sluice_alpn_list(bytes: memory, count: UInt32(bytes.count)))
    }

    deinit {
        wire.pointee.bytes.deallocate()
        wire.deallocate()
    }
}
