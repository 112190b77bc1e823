internal import EngineModel
internal import Platform
internal import Synchronization

// What is known of endpoints' health. Written by the checker and, for ejections, by workers; read by workers when they choose.

/// How an endpoint stands. Empty: it can be used.
struct Standing: OptionSet, Sendable {
    let rawValue: UInt8
    /// The last checks failed, or none has passed yet.
    static let unhealthy = Standing(rawValue: 1)
    /// Connections failed, one after the other: it stays out for a while.
    static let ejected = Standing(rawValue: 2)
    /// No check has come to an end yet. Together with ``unhealthy``, unless endpoints start healthy.
    static let unchecked = Standing(rawValue: 4)

    var isUsable: Bool { isDisjoint(with: [.unhealthy, .ejected]) }
}

/// Goes up with each change of an endpoint's standing: who has derived something from standings sees by it whether they still hold.
final class StandingChanges: Sendable {
    private let number = Atomic<UInt64>(1)
    /// Never 0. Standings that are read after it are at least as new.
    var count: UInt64 { number.load(ordering: .acquiring) }
    fileprivate func note() { number.add(1, ordering: .releasing) }
}

/// One endpoint of a backend, for all variants and tables with the same ``BackendHealth``.
final class EndpointHealth: Sendable {
    let address: StreamAddress
    private let bits: Atomic<UInt8>
    private let changes: StandingChanges
    private let firstUse = Atomic<Int64>(0)
    private let recovery = Atomic<Int64>(0)

    init(address: StreamAddress, standing: Standing, changes: StandingChanges) {
        self.address = address
        self.changes = changes
        bits = Atomic(standing.rawValue)
    }

    /// When its first check let it be used, in milliseconds of the workers' clock; 0: not, or it was from its beginning.
    var firstUsableAt: Int64 { firstUse.load(ordering: .relaxed) }
    /// When it last became usable again; 0: never.
    var recoveredAt: Int64 { recovery.load(ordering: .relaxed) }

    var standing: Standing { Standing(rawValue: bits.load(ordering: .relaxed)) }
    var isUsable: Bool { standing.isUsable }

    /// Adds and removes; the standing before. The first result takes ``Standing/unchecked`` away in the same step in which it says
    /// whether the endpoint is healthy: that tells a new endpoint from one that recovers.
    func change(adding added: Standing, removing removed: Standing) -> Standing {
        var before = bits.load(ordering: .relaxed)
        while true {
            let wanted = Standing(rawValue: before).subtracting(removed).union(added).rawValue
            let (exchanged, original) = bits.compareExchange(
                expected: before, desired: wanted, ordering: .acquiringAndReleasing)
            if exchanged {
                if original != wanted { note(from: Standing(rawValue: original), to: Standing(rawValue: wanted)) }
                return Standing(rawValue: original)
            }
            before = original
        }
    }

    private func note(from old: Standing, to new: Standing) {
        if new.isUsable, !old.isUsable {
            let milliseconds = max(1, MonotonicTime.now().nanoseconds / 1_000_000)
            if old.contains(.unchecked) {
                firstUse.store(milliseconds, ordering: .relaxed)
            } else {
                recovery.store(milliseconds, ordering: .relaxed)
            }
        }
        changes.note()
    }
}

/// The endpoints of one backend as one kind of check sees them. Lives as long as a table or a connection needs it.
final class BackendHealth: Sendable {
    /// What makes a health of its own: variants of a backend with equal keys share it.
    struct Key: Hashable, Sendable {
        /// Without variant.
        var backend: BackendID
        var checking: HealthChecking
        var tls: BackendTLS?
        var startTLS: BackendStartTLS?
        var proxyProtocol: ProxyProtocolSending?
    }

    let key: Key
    let changes = StandingChanges()
    private let endpoints = Registry<StreamAddress, EndpointHealth>()

    init(key: Key) { self.key = key }

    /// The endpoint's; one that is new has not been checked.
    func endpoint(_ address: StreamAddress) -> EndpointHealth {
        endpoints.state(address) {
            let standing: Standing =
                switch key.checking.active?.startsHealthy {
                case nil: []
                case true?: [.unchecked]
                case false?: [.unchecked, .unhealthy]
                }
            return EndpointHealth(address: address, standing: standing, changes: changes)
        }
    }
}

extension BackendConfiguration {
    /// Nil: neither checks nor connections say anything of its endpoints.
    var healthKey: BackendHealth.Key? {
        guard settings.health.active != nil || settings.health.passive != nil else { return nil }
        return BackendHealth.Key(
            backend: id.withoutVariant, checking: settings.health, tls: tls, startTLS: settings.startTLS,
            proxyProtocol: settings.proxyProtocol)
    }
}
