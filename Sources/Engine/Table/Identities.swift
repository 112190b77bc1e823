internal import EngineModel
internal import Glibc
internal import Observability
internal import Platform
internal import Primitives
internal import Synchronization

// What survives routing tables: counts and tickets keyed by identity. A table refers to these; connections reach them
// through the runtimes they hold.

/// Counts of one listener at one port.
final class ListenerState: Sendable {
    let id: ListenerID
    let port: UInt16
    let counters: CounterBlock
    let drain = DrainCell()
    let bandwidth = BandwidthCell()
    let names: AccessNames
    /// Of metrics.
    let labels: LabelSet

    init(id: ListenerID, port: UInt16, counters: CounterBlock, retired: RetiredNames? = nil) {
        (self.id, self.port, self.counters) = (id, port, counters)
        labels = LabelSet(listener: id, port: port)
        names = AccessNames(
            (.gateway, "\(id.gatewayNamespace)/\(id.gateway)"), (.listener, id.listener), retired)
    }
}

/// Counts of one route on one listener and port.
final class RouteState: Sendable {
    struct Key: Hashable, Sendable {
        var listener: ListenerID
        var port: UInt16
        var kind: String
        var namespace: String
        var name: String
    }
    let key: Key
    let counters: CounterBlock
    let drain = DrainCell()
    let bandwidth = BandwidthCell()
    /// How many names, and catch-alls, lead to it in the newest table; the compiler's.
    let uses = Atomic<Int>(0)

    let names: AccessNames
    /// Of metrics.
    let labels: LabelSet

    init(key: Key, counters: CounterBlock, retired: RetiredNames? = nil) {
        (self.key, self.counters) = (key, counters)
        labels = LabelSet(of: key)
        names = AccessNames((.route, "\(key.namespace)/\(key.name)"), (.routeKind, key.kind), retired)
    }
}

/// The shared ticket of one rule: whichever worker accepted, connections draw consecutive numbers.
final class RuleTicket: Sendable {
    private let next = Atomic<UInt64>(0)
    func draw() -> UInt64 { next.add(1, ordering: .relaxed).oldValue }
}

/// Counts of one backend, whatever its variants: they are one in the metrics.
final class BackendState: Sendable {
    let id: BackendID
    let counters: CounterBlock
    let names: AccessNames
    /// Of metrics.
    let labels: LabelSet
    /// Whether its endpoints have metrics of their own, so that workers count what they do; written by the compiler.
    let countsEndpoints = Atomic<Bool>(false)
    private let turns = Atomic<UInt64>(0)

    init(id: BackendID, counters: CounterBlock, retired: RetiredNames? = nil) {
        (self.id, self.counters) = (id, counters)
        labels = LabelSet(backend: id)
        names = AccessNames((.backend, "\(id)"), nil, retired)
    }

    /// Whose turn it is under round robin, whichever worker asks.
    func drawTurn() -> UInt64 { turns.add(1, ordering: .relaxed).oldValue }
}

extension BackendID {
    var withoutVariant: BackendID {
        variant.isEmpty ? self : BackendID(kind: kind, namespace: namespace, name: name, port: port)
    }
}

/// One address of a backend, with how many connections use it now, over all workers.
final class EndpointState: Sendable {
    let active = Atomic<Int>(0)
    let sessions = SessionCell()
    let traffic = EndpointTraffic()
    /// AF_INET, AF_INET6 or AF_UNIX.
    let family: Int32
    let kernelAddress: KernelAddress
    let address: StreamAddress
    /// When it came to a backend that ran already, in milliseconds of the workers' clock; 0: it was there from the start. Written by
    /// the compiler.
    let joinedAt = Atomic<Int64>(0)

    init(address: StreamAddress) {
        self.address = address
        kernelAddress = KernelAddress(address)
        switch address {
        case .unix: family = AF_UNIX
        case .ip(let address): family = address.ip.isV4 ? AF_INET : AF_INET6
        }
    }
}

/// Finds the state of an identity, makes it at first sight, and forgets it when no table and no connection uses it.
final class Registry<Key: Hashable & Sendable, State: AnyObject & Sendable>: Sendable {
    private struct Entry {
        weak var state: State?
    }
    private struct Entries {
        var all: [Key: Entry] = [:]
        /// How many there may be before those that are gone are looked for.
        var limit = 64
    }
    private let entries = Locked(Entries())

    func state(_ key: Key, make: () -> State) -> State {
        entries.withLock { entries in
            if let state = entries.all[key]?.state { return state }
            if entries.all.count >= entries.limit {
                let gone = entries.all.compactMap { $0.value.state == nil ? $0.key : nil }
                for key in gone { entries.all[key] = nil }
                entries.limit = max(64, 2 * entries.all.count)
            }
            let state = make()
            entries.all[key] = Entry(state: state)
            return state
        }
    }

    /// The one that is there already.
    func known(_ key: Key) -> State? { entries.withLock { $0.all[key]?.state } }

    /// Those that are alive and have such a key, in no order.
    func living(where isWanted: (Key) -> Bool) -> [(Key, State)] {
        entries.withLock { entries in
            entries.all.compactMap { key, entry in isWanted(key) ? entry.state.map { (key, $0) } : nil }
        }
    }

    /// Those that are alive and wanted, in no order.
    func livingStates(where isWanted: (State) -> Bool) -> [(Key, State)] {
        entries.withLock { entries in
            entries.all.compactMap { key, entry in
                guard let state = entry.state, isWanted(state) else { return nil }
                return (key, state)
            }
        }
    }

    /// Those that are alive, in no order.
    func living() -> [State] { entries.withLock { $0.all.values.compactMap(\.state) } }
}
