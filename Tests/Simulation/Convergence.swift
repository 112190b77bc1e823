import EngineModel
import Platform
import Primitives

@testable import Engine

/// The end of every run: faults stop, clients leave, and within a bounded time everybody is served again and nothing is left.
struct Convergence {
    private let gateway: Gateway

    init(_ gateway: Gateway) { self.gateway = gateway }

    func run() {
        gateway.faults = [:]
        for worker in gateway.workers { worker.stalledUntil = 0 }
        gateway.advance(by: 0)
        gateway.tell("* everybody leaves, faults stop")
        for worker in gateway.workers {
            for session in worker.open { gateway.send(.leaves(session.id), to: worker.index) }
        }
        gateway.advance(by: 50_000_000)
        guard !gateway.oracle.hasFailed else { return }
        gateway.oracle.atEnd(gateway)
        gateway.restoreConfiguration()
        heal()
        guard !gateway.oracle.hasFailed else { return }
        for route in gateway.configuration.listeners.indices { probe(route) }
        gateway.advance(by: 50_000_000)
        if !gateway.oracle.hasFailed { gateway.oracle.atEnd(gateway) }
    }

    /// Every endpoint can be used again, in the time that its checks and ejections take.
    private func heal() {
        // Checks that are under way were made while the faults were there.
        let timeouts = gateway.configuration.backends.compactMap { $0.settings.health.active?.timeout.wholeNanoseconds }
        gateway.advance(by: (timeouts.max() ?? 0) + 10_000_000)
        var most: Int64 = 1_000_000_000
        for backend in gateway.configuration.backends {
            let health = backend.settings.health
            if let active = health.active {
                let pause = max(active.interval, active.unhealthyInterval ?? active.interval).wholeNanoseconds
                let checks = pause * Int64(active.healthyThreshold + 1) + active.timeout.wholeNanoseconds
                most = max(most, checks + pause / 10)
            }
        }
        for target in gateway.checker.targets {
            let left = (target.endpoint.ejectedUntil ?? 0) - gateway.clock.now
            most = max(most, left + 1_000_000_000)
        }
        let end = gateway.clock.now + most
        while gateway.clock.now < end, !gateway.oracle.hasFailed {
            if gateway.checker.targets.allSatisfy({ $0.endpoint.standing.rawValue == 0 }) { return }
            gateway.advance(by: min(200_000_000, end - gateway.clock.now))
        }
        for target in gateway.checker.targets where target.endpoint.standing != [] {
            gateway.oracle.fail(
                "convergence", "\(target.endpoint.address) stands \(target.endpoint.standing.rawValue) after \(most) ns"
            )
        }
    }

    /// A client at each worker, one after the other, is served, where the configuration serves anybody.
    private func probe(_ number: Int) {
        guard case .tcp(let route?) = gateway.configuration.listeners[number].traffic else { return }
        let serves = route.backends.allSatisfy { entry in
            guard entry.weight > 0 else { return true }
            guard case .backend(let id) = entry.target else { return false }
            return gateway.configuration.backends.first { $0.id == id }?.endpoints.contains { $0.weight > 0 } ?? false
        }
        guard serves, route.backends.contains(where: { $0.weight > 0 && !$0.isFallback }) else { return }
        for worker in gateway.workers {
            // A token comes in meanwhile.
            gateway.advance(by: 10_000_000 + (route.limits.map(pause).max() ?? 0))
            let before = gateway.oracle.ends
            let client = Client(source: 200 + worker.index, answers: 1, lasts: 10, bytes: 10)
            gateway.send(.arrives(listener: number, client), to: worker.index)
            gateway.advance(by: 1_000_000_000)
            guard !gateway.oracle.hasFailed else { return }
            let served = gateway.oracle.ends[.clientClosed, default: 0] - before[.clientClosed, default: 0]
            gateway.oracle.require("convergence", served == 1, "a client is not served: \(gateway.oracle.ends)")
        }
    }

    /// Nanoseconds until a bucket that may be empty has a token.
    private func pause(_ limits: ClientLimits) -> Int64 {
        guard let rate = limits.connectionRate?.total else { return 0 }
        return Int64(rate.interval.seconds) * 1_000_000_000 / Int64(rate.connections)
    }
}
