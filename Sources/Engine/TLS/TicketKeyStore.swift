internal import COpenSSL
internal import EngineModel
internal import Platform
internal import Synchronization

/// The keys of session tickets of one engine: those it was given, else its own.
final class TicketKeyStore: Sendable {
    private struct State {
        var shared: TicketKeyRing?
        var sealingSince = MonotonicTime(nanoseconds: 0)
    }
    private let state = Locked(State())
    /// By lifetime.
    private let own = Registry<Duration, OwnTicketKeys>()
    /// Goes up with every change of a key.
    private let changes = Atomic<UInt64>(1)

    var generation: UInt64 { changes.load(ordering: .acquiring) }

    /// From now on tickets are sealed and opened by these; nil: by the engine's own.
    func use(_ ring: TicketKeyRing?, now: MonotonicTime = .now()) {
        state.withLock { state in
            if state.shared?.sealingKey != ring?.sealingKey { state.sealingSince = now }
            state.shared = ring
        }
        changes.add(1, ordering: .releasing)
    }

    /// Keys for tickets that live so long; they live as long as somebody holds them.
    func ownKeys(lifetime: Duration) -> OwnTicketKeys {
        own.state(lifetime) { OwnTicketKeys(lifetime: lifetime, now: .now()) }
    }

    func ring(_ own: OwnTicketKeys) -> TicketKeyRing { state.withLock(\.shared) ?? own.ring }

    /// Makes new keys of the engine's own where it is time. The control thread's, each second.
    func rotate(now: MonotonicTime) {
        let rotated = own.living().filter { $0.rotate(now: now) }
        if !rotated.isEmpty { changes.add(1, ordering: .releasing) }
    }

    /// How long tickets have been sealed by the same key, and whether it is one that was given; nil: none are.
    func sealingAge(now: MonotonicTime) -> (age: Duration, isShared: Bool)? {
        let (shared, since) = state.withLock { ($0.shared, $0.sealingSince) }
        if let shared { return shared.sealing == nil ? nil : (now - since, true) }
        return own.living().map { now - $0.sealingSince }.max().map { ($0, false) }
    }
}

/// Keys that no other process knows. Each seals for half the lifetime of a ticket and opens for a whole one more.
final class OwnTicketKeys: Sendable {
    private struct State {
        var ring: TicketKeyRing
        var since: MonotonicTime
    }
    private let lifetime: Duration
    private let state: Locked<State>
    /// The one that seals and those before it.
    private static let count = 3

    init(lifetime: Duration, now: MonotonicTime) {
        self.lifetime = lifetime
        state = Locked(State(ring: OwnTicketKeys.ring(OwnTicketKeys.newKey().map { [$0] } ?? []), since: now))
    }

    var ring: TicketKeyRing { state.withLock(\.ring) }
    var sealingSince: MonotonicTime { state.withLock(\.since) }

    /// True: there is a new key.
    func rotate(now: MonotonicTime) -> Bool {
        state.withLock { state in
            guard now - state.since >= lifetime / 2, let key = OwnTicketKeys.newKey() else { return false }
            // Who slept through it all has keys that no ticket needs.
            let needed = now - state.since >= lifetime * 2 ? [] : state.ring.keys.prefix(OwnTicketKeys.count - 1)
            state.ring = OwnTicketKeys.ring([key] + needed)
            state.since = now
            return true
        }
    }

    /// The newest first; it seals. Without random numbers nothing is sealed.
    private static func ring(_ keys: [TicketKey]) -> TicketKeyRing { TicketKeyRing(keys: keys, sealing: 0) }

    private static func newKey() -> TicketKey? {
        var bytes = [UInt8](repeating: 0, count: TicketKey.byteCount)
        defer { OPENSSL_cleanse(&bytes, bytes.count) }
        guard RAND_bytes(&bytes, Int32(bytes.count)) == 1 else { return nil }
        return TicketKey(bytes: bytes)
    }
}
