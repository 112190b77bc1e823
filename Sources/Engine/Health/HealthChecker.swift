internal import EngineModel
internal import Observability
internal import Platform

/// An endpoint that checks or connections judge. Equal endpoints of a backend's variants are one.
struct HealthTarget: Sendable {
    let health: BackendHealth
    let endpoint: EndpointHealth
    /// Whether connections go to it while it is usable: its weight is not 0.
    var isServing = true
}

/// What other threads hold of the checker: the one thread of the process that checks endpoints, and that ejects them.
final class HealthChecker: Sendable {
    struct Mail: Sendable {
        /// All there are now; nil: as before.
        var targets: [HealthTarget]?
        /// Endpoints whose connections failed too often in a row.
        var suspects: [ObjectIdentifier: EndpointHealth] = [:]
        var stopped = false
    }

    let mail = Locked(Mail())
    let wake: EventDescriptor
    let epoll: Epoll
    let reports: HealthMailbox
    let logger: Logger

    init(reports: HealthMailbox, logger: Logger) throws(Errno) {
        self.reports = reports
        self.logger = logger
        wake = try EventDescriptor()
        epoll = try Epoll()
        try epoll.add(wake.raw, epollIn, EventToken.wake)
    }

    func start() throws(Errno) {
        let thread = try Thread(named: "health") { [self] in CheckLoop(self).run() }
        thread.detach()
    }

    func stop() { post { $0.stopped = true } }

    /// From now on these are checked. What is known of an endpoint is in its ``EndpointHealth``.
    func use(_ targets: [HealthTarget]) { post { $0.targets = targets } }

    /// Connections to the endpoint failed as often in a row as its backend's settings say.
    func suspect(_ endpoint: EndpointHealth) { post { $0.suspects[ObjectIdentifier(endpoint)] = endpoint } }

    private func post(_ body: (inout Mail) -> Void) {
        mail.withLock(body)
        wake.signal()
    }
}
