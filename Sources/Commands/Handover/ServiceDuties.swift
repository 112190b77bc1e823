internal import AdminServer
internal import EngineModel
internal import Observability
internal import Platform

/// What the thread that waits for signals does besides: tells the service manager, and lets a successor take over. Used on
/// that thread.
final class ServiceDuties {
    let predecessor: Predecessor
    /// Open as long as this process lives: by its end the predecessor knows.
    private let takeover: Takeover?
    private let manager: ServiceManager?
    private let lifecycle: Lifecycle
    private let dataPlane: any DataPlane
    private let logger: Logger
    /// Whether sockets came from elsewhere that may turn out not to be wanted.
    private var hasInherited: Bool
    private var wasReady = false
    private var stored: Set<Binding> = []
    private var nextLook = MonotonicTime.now()

    /// How often the addresses are looked at that the manager keeps sockets of.
    private static let storePause = Duration.seconds(1)
    private static let readinessPause = Duration.milliseconds(50)

    init(
        predecessor: Predecessor, takeover: Takeover?, manager: ServiceManager?, hasInherited: Bool,
        lifecycle: Lifecycle,
        dataPlane: any DataPlane, logger: Logger
    ) {
        self.takeover = takeover
        (self.predecessor, self.manager, self.hasInherited) = (predecessor, manager, hasInherited)
        (self.lifecycle, self.dataPlane, self.logger) = (lifecycle, dataPlane, logger)
    }

    var descriptors: [Int32] { predecessor.descriptors }

    /// When to take a turn at the latest.
    var due: MonotonicTime? {
        let look = manager == nil && (wasReady || !hasInherited) ? nil : nextLook
        return [look, predecessor.due].compactMap(\.self).min()
    }

    /// The pid of a successor that can serve.
    func turn() -> Int32? {
        if let due, due <= .now() { look() }
        return predecessor.turn()
    }

    private func look() {
        if !wasReady, lifecycle.readiness(isVerbose: false).isPassing { begin() }
        if wasReady, let manager { store(with: manager) }
        nextLook = .now() + (wasReady ? ServiceDuties.storePause : ServiceDuties.readinessPause)
    }

    /// Everything that is configured is bound.
    func begin() {
        guard !wasReady else { return }
        wasReady = true
        if hasInherited {
            for binding in dataPlane.closeUnusedInherited() {
                manager?.forget(binding)
                logger.warning("an inherited socket that no listener wants is closed", ["address": "\(binding)"])
            }
        }
        manager?.ready(status)
    }

    private var status: String { "serving at \(dataPlane.boundBindings.count) addresses" }

    private func store(with manager: ServiceManager) {
        let bound = dataPlane.boundBindings
        guard bound != stored else { return }
        for binding in stored.subtracting(bound) { manager.forget(binding) }
        let added = bound.subtracting(stored)
        if !added.isEmpty {
            // Without descriptors it is tried again in a second.
            guard let copies = try? dataPlane.copyListeners() else { return }
            for (binding, sockets) in copies {
                if added.contains(binding) { manager.store(binding, sockets) }
                for raw in sockets { InheritedDescriptor.close(raw) }
            }
        }
        stored = bound
    }

    /// Whether the service's main process has died, which only its parent knows: this process, until it ends.
    var isLastOfService: Bool { manager != nil && predecessor.hasLostSuccessor() }

    // MARK: Signals

    func reload() {
        manager?.reloading()
        if !dataPlane.reopenAccessLog() {
            logger.info("SIGHUP ignored: changes are noticed by themselves, and the access log is no file")
        }
        manager?.ready(status)
    }

    /// Accepting is over here, and begins there.
    func handOver(to successor: Int32) {
        takeover?.sayFarewell()
        dataPlane.handOver()
        manager?.follow(successor)
        predecessor.release()
        logger.info("handed over", ["pid": LogValue(successor), "connections": LogValue(dataPlane.activeConnections)])
    }

    /// The process ends. What waits in the queues of stored sockets waits on for the next one.
    func end(_ status: String) {
        takeover?.sayFarewell()
        predecessor.cancel("this process is told to end")
        predecessor.close()
        manager?.stopping(status)
    }
}
