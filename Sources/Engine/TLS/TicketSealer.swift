internal import COpenSSL
internal import EngineModel
internal import Platform

/// Seals and opens the tickets of one TLS context, with keys that no other has: derived from those of the store by what the
/// context is for. So a ticket opens nowhere but where clients are judged alike, on whatever replica that is.
final class TicketSealer: Sendable {
    private let store: TicketKeyStore
    private let own: OwnTicketKeys
    /// What the context is for: of its configuration only.
    private let purpose: [UInt8]
    private let derived: Locked<DerivedTicketKeys>

    init(store: TicketKeyStore, lifetime: Duration, purpose: [UInt8]) {
        (self.store, self.purpose) = (store, purpose)
        own = store.ownKeys(lifetime: lifetime)
        let generation = store.generation
        derived = Locked(DerivedTicketKeys(store.ring(own), purpose, generation))
    }

    /// Tickets of `context` are this one's, which must not end before the context's connections.
    func install(in context: OpaquePointer) -> Bool {
        sluice_context_set_owner(context, Unmanaged.passUnretained(self).toOpaque())
        let isSet = SSL_CTX_set_tlsext_ticket_key_evp_cb(context) { ssl, name, iv, cipher, mac, sealing in
            guard let ssl, let name, let iv, let owner = sluice_owner_of_context(ssl) else { return -1 }
            let keys = Unmanaged<TicketSealer>.fromOpaque(owner).takeUnretainedValue().current
            return sealing == 1 ? keys.seal(name, iv, cipher, mac) : keys.open(name, iv, cipher, mac)
        }
        return isSet == 1
    }

    /// Derived anew by the first handshake after a change.
    private var current: DerivedTicketKeys {
        let generation = store.generation
        return derived.withLock { keys in
            if keys.generation != generation { keys = DerivedTicketKeys(store.ring(own), purpose, generation) }
            return keys
        }
    }
}

/// The keys of one context, at an address that stays; wiped at the end.
private final class DerivedTicketKeys: @unchecked Sendable {
    // Sendable because the keys are written in init only.
    let generation: UInt64
    /// Those that open.
    private let count: Int
    private let sealing: Int
    private let keys: UnsafeMutableBufferPointer<UInt8>
    private static let size = SLUICE_TICKET_KEY
    private static let nameSize = SLUICE_TICKET_NAME

    init(_ ring: TicketKeyRing, _ purpose: [UInt8], _ generation: UInt64) {
        self.generation = generation
        let size = DerivedTicketKeys.size
        keys = .allocate(capacity: (ring.keys.count + 1) * size)
        keys.initialize(repeating: 0)
        let info = Array("sluice session tickets".utf8) + purpose
        let (keys, place) = (keys, ring.keys.count * size)
        let succeeded = ring.keys.enumerated().allSatisfy { index, key in
            let output = keys.baseAddress.map { $0 + index * size }
            return key.withKeys { secret in
                sluice_hkdf(
                    secret.baseAddress, secret.count, key.name, key.name.count, info, info.count, output, size) == 1
            }
        }
        count = succeeded ? ring.keys.count : 0
        // TLS 1.3 of OpenSSL 3.0 cannot give out no ticket: where none is to be, nobody opens it.
        let hasRandom = keys.baseAddress.map { RAND_bytes($0 + place, Int32(size)) == 1 } ?? false
        sealing = succeeded ? ring.sealing ?? (hasRandom ? ring.keys.count : -1) : hasRandom ? ring.keys.count : -1
        ERR_clear_error()
    }

    deinit {
        OPENSSL_cleanse(keys.baseAddress, keys.count)
        keys.deallocate()
    }

    /// OpenSSL's answers: 1, or -1, which ends the connection.
    func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Int32 {
        guard sealing >= 0, let key = keys.baseAddress.map({ $0 + sealing * DerivedTicketKeys.size }) else { return -1 }
        name.update(from: key, count: DerivedTicketKeys.nameSize)
        return sluice_ticket_start(key, iv, cipher, mac, 1) == 1 ? 1 : -1
    }

    /// OpenSSL's answers: 1; 2 where the ticket is to be sealed anew; 0 for a full handshake.
    func open(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Int32 {
        guard let base = keys.baseAddress else { return 0 }
        for index in 0..<count {
            let key = base + index * DerivedTicketKeys.size
            guard CRYPTO_memcmp(name, key, DerivedTicketKeys.nameSize) == 0 else { continue }
            guard sluice_ticket_start(key, iv, cipher, mac, 0) == 1 else { return 0 }
            return index == sealing ? 1 : 2
        }
        return 0
    }
}
