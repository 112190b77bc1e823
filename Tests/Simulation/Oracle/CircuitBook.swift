import EngineModel
import Platform

@testable import Engine

/// No circuit breaker is exceeded, the queue is one, and whoever waits goes on as soon as there is room.
final class CircuitBook {
    private struct Room: Hashable {
        var id: LimitID
        var address: StreamAddress
    }
    private struct Waiting {
        var queue: LimitID
        /// Nanoseconds, as it was when the connection joined.
        var timeout: Int64
        /// Nanoseconds of waits before this one, and since when this one goes on.
        var before: Int64
        var since: Int64?
    }
    private unowned let oracle: Oracle
    private var open: [LimitID: Int] = [:]
    private var rooms: [Room: Int] = [:]
    private var held: [UInt64: [Room]] = [:]
    private var orders: [ObjectIdentifier: [UInt64]] = [:]
    private var waits: [UInt64: Waiting] = [:]
    private var lengths: [LimitID: Int] = [:]

    init(_ oracle: Oracle) { self.oracle = oracle }

    // MARK: Levels

    private func hasRoom(_ backend: BackendRuntime) -> Bool {
        backend.configuration.circuitBreakers.allSatisfy { breaker in
            breaker.maximumConnections.map { open[breaker.id, default: 0] < $0 } ?? true
        }
    }

    func tookLevels(_ backend: BackendRuntime, _ isTaken: Bool) {
        let hasRoom = hasRoom(backend)
        oracle.require(
            "circuit", isTaken == hasRoom,
            "\(backend.configuration.id) \(isTaken ? "takes one more" : "has no room") with \(open)")
        guard isTaken else { return }
        for breaker in backend.configuration.circuitBreakers { open[breaker.id, default: 0] += 1 }
    }

    func leftLevels(_ backend: BackendRuntime) {
        for breaker in backend.configuration.circuitBreakers { open[breaker.id, default: 0] -= 1 }
    }

    func refused(_ session: Session, _ backend: BackendRuntime) {
        oracle.require(
            "circuit", !hasRoom(backend) || oracle.choices.hasNoRoom(backend),
            "#\(session.id) is refused, though there is room")
    }

    // MARK: Endpoints

    func isFull(_ backend: BackendRuntime, _ index: Int) -> Bool {
        let address = backend.endpoints[index].address
        return backend.configuration.circuitBreakers.contains { breaker in
            breaker.maximumPerEndpoint.map { rooms[Room(id: breaker.id, address: address), default: 0] >= $0 } ?? false
        }
    }

    func tookRoom(_ session: Session, _ backend: BackendRuntime, _ endpoint: EndpointState, _ isTaken: Bool) {
        guard let index = backend.endpoints.firstIndex(where: { $0 === endpoint }) else { return }
        oracle.require(
            "circuit", isTaken != isFull(backend, index),
            "\(endpoint.address) \(isTaken ? "takes" : "refuses") one more")
        guard isTaken else { return }
        oracle.require("circuit", held[session.id] == nil, "#\(session.id) is counted twice")
        let keys = backend.configuration.circuitBreakers.filter { $0.maximumPerEndpoint != nil }
            .map { Room(id: $0.id, address: endpoint.address) }
        held[session.id] = keys
        for key in keys { rooms[key, default: 0] += 1 }
    }

    func leftRoom(_ session: Session) {
        for key in held.removeValue(forKey: session.id) ?? [] { rooms[key, default: 0] -= 1 }
    }

    // MARK: The queue

    func joins(_ session: Session, _ backend: BackendRuntime, _ hasPlace: Bool) {
        guard let queue = backend.configuration.queue else { return oracle.fail("queue", "there is none") }
        let length = lengths[queue.id, default: 0]
        oracle.require(
            "queue", hasPlace == (length < queue.length), "\(length) wait of \(queue.length), has place: \(hasPlace)")
        guard hasPlace else { return }
        lengths[queue.id, default: 0] += 1
        var wait = waits[session.id] ?? Waiting(queue: queue.id, timeout: 0, before: 0)
        (wait.queue, wait.since, wait.timeout) = (queue.id, oracle.now, queue.timeout.wholeNanoseconds)
        waits[session.id] = wait
    }

    func joined(_ session: Session, _ line: PendingLine, ahead: Int) {
        let order = orders[ObjectIdentifier(line), default: []]
        oracle.require("queue", order.count == ahead, "\(ahead) stand before #\(session.id), should \(order.count)")
        orders[ObjectIdentifier(line)] = order + [session.id]
    }

    func leaves(_ session: Session, _ line: PendingLine, isServing: Bool) {
        var order = orders[ObjectIdentifier(line), default: []]
        guard let place = order.firstIndex(of: session.id) else {
            return oracle.fail("queue", "#\(session.id) leaves a queue that it does not stand in")
        }
        oracle.require("queue", !isServing || place == 0, "#\(session.id) is served before \(order.prefix(place))")
        order.remove(at: place)
        orders[ObjectIdentifier(line)] = order.isEmpty ? nil : order
        guard var wait = waits[session.id] else { return }
        lengths[wait.queue, default: 0] -= 1
        wait.before += oracle.now - (wait.since ?? oracle.now)
        wait.since = nil
        waits[session.id] = wait
    }

    func timedOut(_ session: Session, now: Int64) {
        guard let wait = waits[session.id], let since = wait.since, let queue = session.backend?.configuration.queue
        else { return }
        let waited = wait.before + oracle.now - since
        // A changed value is for those that come, or that are put off once more.
        let timeout = min(wait.timeout, queue.timeout.wholeNanoseconds)
        oracle.require(
            "queue", waited + 2_000_000 >= timeout,
            "#\(session.id) has waited for \(waited / 1_000_000) ms of \(timeout / 1_000_000)")
    }

    // MARK: At rest

    /// Whoever is first in a line cannot go on: else somebody was not woken.
    func atRest(_ gateway: Gateway) {
        for order in orders.values {
            guard let first = order.first,
                let worker = gateway.workers.first(where: { $0.session(first) != nil }),
                worker.stalledUntil <= gateway.clock.now, let session = worker.session(first),
                let backend = session.backend
            else { continue }
            let canGoOn =
                (session.held.contains(.circuit) || hasRoom(backend)) && !oracle.choices.hasNoRoom(backend)
            oracle.require("queue", !canGoOn, "#\(first) waits, though there is room")
        }
    }

    func atEnd(_ gateway: Gateway) {
        for (id, count) in open {
            let left = gateway.compiler.circuits.states.known(id)?.open.value ?? 0
            oracle.require("end", count == 0 && left == 0, "\(id) has \(left) connections left, \(count) in the books")
        }
        for (key, count) in rooms {
            let state = gateway.compiler.circuits.endpoints.known(.init(level: key.id, address: key.address))
            let left = state?.open.value ?? 0
            oracle.require(
                "end", count == 0 && left == 0, "\(key.address) has \(left) places taken, \(count) in the books")
        }
        for (id, count) in lengths {
            let left = gateway.compiler.circuits.lengths.known(id)?.waiting.value ?? 0
            oracle.require("end", count == 0 && left == 0, "\(left) wait at \(id), \(count) in the books")
        }
        for line in gateway.compiler.circuits.lines.living() {
            oracle.require("end", line.isEmpty, "\(line.count) stand in a line")
        }
    }
}
