internal import Platform
internal import Synchronization

/// What watches share: equal ones are looked up once.
struct WatchKey: Hashable, Sendable {
    enum Wanted: Hashable, Sendable {
        case addresses(AddressFamilyPreference)
        case services
    }
    var name: String
    var wanted: Wanted
    var refresh: Duration
    var respectsTTL: Bool
}

/// What hears of a name.
struct Watcher: Sendable {
    let state: WatchState
    let onChange: @Sendable (ResolvedName) -> Void
    let onLookup: (@Sendable (LookupResult) -> Void)?
}

/// Whether a watch is still wanted; its identity names it to the resolver's thread.
final class WatchState: Sendable {
    private let cancelled = Atomic(false)

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    /// False when it was cancelled before.
    func cancel() -> Bool { !cancelled.exchange(true, ordering: .acquiringAndReleasing) }
}

/// Commands to the resolver's thread.
final class ResolverMailbox: Sendable {
    enum Command {
        case watch(WatchKey, Watcher)
        case cancel(WatchState)
        case stop
    }

    private let commands = Locked<[Command]>([])
    private let event: EventDescriptor

    init() throws(Errno) { event = try EventDescriptor() }

    func post(_ command: Command) {
        commands.withLock { $0.append(command) }
        event.signal()
    }

    /// Readable while commands wait.
    var descriptor: Int32 { event.raw }

    func takeAll() -> [Command] {
        event.drain()
        return commands.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
