import EngineModel
import Platform

@testable import Engine

/// Sessions outlive what has left the configuration by as much as they are given, no less and not much more.
final class DrainBook {
    private struct Place: Hashable {
        var backend: BackendID
        var address: StreamAddress
    }
    /// When something began, and, where it is over, when it was.
    private struct Spell {
        var since: Int64
        var until: Int64?
    }
    /// The control thread looks every second, sweeps come every 50 ms, and a table takes its time.
    private static let slack: Int64 = 1_300_000_000

    private unowned let oracle: Oracle
    private var gone: [String: Spell] = [:]
    private var removed: [Place: Spell] = [:]
    private var backends: [BackendID: BackendConfiguration] = [:]
    private var timeouts: [String: Duration?] = [:]
    private var changed: [String: Int64] = [:]
    private var dialledAt: [UInt64: Int64] = [:]

    init(_ oracle: Oracle) { self.oracle = oracle }

    func compiled(_ compiler: TableCompiler, _ configuration: EngineConfiguration) {
        let now = oracle.now
        for listener in configuration.listeners {
            let name = listener.id.listener
            if timeouts[name] != .some(listener.settings.routeDrainTimeout) { changed[name] = now }
            timeouts[name] = listener.settings.routeDrainTimeout
            if case .tcp(nil) = listener.traffic {
                if gone[name] == nil || gone[name]?.until != nil { gone[name] = Spell(since: now) }
            } else if gone[name]?.until == nil {
                gone[name]?.until = now
            }
        }
        for backend in configuration.backends {
            if let old = backends[backend.id] {
                if old.settings != backend.settings { changed["\(backend.id)"] = now }
                let (before, after) = (old.addresses, backend.addresses)
                for address in before.subtracting(after) {
                    removed[Place(backend: backend.id, address: address)] = Spell(since: now)
                }
                for address in after { removed[Place(backend: backend.id, address: address)]?.until = now }
            }
            backends[backend.id] = backend
        }
    }

    func dialled(_ session: Session, _ endpoint: EndpointState) {
        dialledAt[session.id] = oracle.now
        guard let id = session.backend?.configuration.id else { return }
        let spell = removed[Place(backend: id, address: endpoint.address)]
        guard let spell, spell.until == nil else { return }
        // A worker that has not seen the table yet, or a connection that waited for longer than it.
        guard let backend = session.backend, backend.configuration.addresses == backends[id]?.addresses else { return }
        oracle.fail(
            "drain", "\(endpoint.address) is dialled \((oracle.now - spell.since) / 1_000_000) ms after it was removed")
    }

    func closed(_ session: Session, _ reason: CloseReason, now: Int64) {
        dialledAt[session.id] = nil
        let name = session.listener.state.id.listener
        switch reason {
        case .routeDeleted, .listenerRemoved:
            guard let spell = gone[name], lasted(spell, now) else {
                return oracle.fail("drain", "#\(session.id) ends for a route that is there")
            }
            guard let timeout = timeouts[name] ?? nil else {
                return oracle.require("drain", recently(changed[name], now), "#\(session.id) ends, though routes stay")
            }
            oracle.require(
                "drain", now - spell.since >= timeout.wholeNanoseconds || recently(changed[name], now),
                "#\(session.id) ends \((now - spell.since) / 1_000_000) ms after its route, of \(timeout)")
        case .endpointRemoved:
            guard let place = place(session), let backend = backends[place.backend] else { return }
            oracle.require(
                "drain", removed[place].map { lasted($0, now) } ?? false,
                "#\(session.id) ends for an endpoint that is there")
            oracle.require("drain", backend.settings.onEndpointRemoved != .keep, "#\(session.id) was to be kept")
        case .endpointUnhealthy:
            guard let place = place(session), let backend = backends[place.backend] else { return }
            oracle.require("drain", backend.settings.onEndpointUnhealthy != .keep, "#\(session.id) was to be kept")
        case .primaryRecovered:
            oracle.require(
                "drain", isFallback(session), "#\(session.id) ends for a backend that is no fallback")
            let action = session.backend.flatMap { backends[$0.configuration.id] }?.settings.onPrimaryRecovered
            oracle.require("drain", action != .keep, "#\(session.id) was to be kept")
        default: return
        }
    }

    private func lasted(_ spell: Spell, _ now: Int64) -> Bool { spell.until.map { now - $0 < DrainBook.slack } ?? true }
    private func recently(_ time: Int64?, _ now: Int64) -> Bool { time.map { now - $0 < DrainBook.slack } ?? false }

    private func place(_ session: Session) -> Place? {
        guard let backend = session.backend?.configuration.id, let endpoint = session.endpoint else { return nil }
        return Place(backend: backend, address: endpoint.address)
    }

    private func isFallback(_ session: Session) -> Bool {
        session.route?.configuration.backends.contains {
            $0.isFallback && $0.target == session.backend.map { .backend($0.configuration.id) }
        } ?? false
    }

    // MARK: Deadlines

    func atRest(_ gateway: Gateway) {
        let now = gateway.clock.now
        guard now > oracle.excusedUntil else { return }
        for worker in gateway.workers {
            for session in worker.open { check(session, now) }
        }
    }

    private func check(_ session: Session, _ now: Int64) {
        let name = session.listener.state.id.listener
        if let spell = gone[name], spell.until == nil, let timeout = timeouts[name] ?? nil, session.route != nil {
            let spread = max(.milliseconds(100), min(timeout / 10, .seconds(10)))
            let end = max(spell.since + timeout.wholeNanoseconds, changed[name] ?? 0) + spread.wholeNanoseconds
            oracle.require("drain", now <= end + DrainBook.slack, "#\(session.id) outlives its route for too long")
        }
        guard session.stage == .relay, let place = place(session), let backend = backends[place.backend],
            let timeout = DrainBook.time(backend.settings.onEndpointRemoved, backend), let spell = removed[place],
            spell.until == nil
        else { return }
        let end = max(spell.since + timeout, session.connectedAt, changed["\(place.backend)"] ?? 0)
        oracle.require("drain", now <= end + DrainBook.slack, "#\(session.id) outlives its endpoint for too long")
    }

    /// Nil: sessions are kept.
    private static func time(_ action: SessionAction, _ backend: BackendConfiguration) -> Int64? {
        switch action {
        case .keep: nil
        case .drain: backend.settings.endpointDrainTimeout.wholeNanoseconds
        case .close: 0
        }
    }
}

extension BackendConfiguration {
    fileprivate var addresses: Set<StreamAddress> {
        Set(
            endpoints.compactMap { endpoint in
                if case .ip(let address) = endpoint.address { .ip(address) } else { nil }
            })
    }
}
