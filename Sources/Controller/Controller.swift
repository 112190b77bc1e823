public import EngineModel
public import KubernetesAPI
public import KubernetesClient
public import Observability
public import Platform
public import Primitives
public import Translation

/// The loop between a source of snapshots and the engine: each snapshot is translated, applied where the result differs
/// from what runs, and its conditions are closed with the engine's answer, kept, and logged when they change. It has a
/// thread of its own; this handle may be used from any.
public final class Controller: Sendable {
    private let mailbox = Monitored(Mailbox())
    private let published = Locked(ControllerState())
    private let loop: ControllerLoop.Setup

    /// What waits for the loop. Only the newest of each counts.
    struct Mailbox {
        var snapshot: (snapshot: ClusterSnapshot, isComplete: Bool, touched: TouchedObjects?, seen: MonotonicTime)?
        var cluster: (state: ClusterState, seen: MonotonicTime)?
        var acknowledgement: Acknowledgement?
        var stopping = false
        var stopped = false
    }

    /// `localAddresses` is asked, on the controller's thread, for the addresses that gateways without addresses have.
    /// `onOutcome` is called on that thread with what is to be written to the API server, only for states of a cluster
    /// (``submit(_:seen:)``); it hands the value over and returns. `onConfiguration` is called there with what was applied.
    public init(
        target: any ConfigurationTarget, options: TranslationOptions, logger: Logger,
        localAddresses: @escaping @Sendable () -> [IPAddress],
        onOutcome: (@Sendable (Outcome) -> Void)? = nil,
        onConfiguration: (@Sendable (EngineConfiguration) -> Void)? = nil
    ) {
        loop = ControllerLoop.Setup(
            target: target, options: options, logger: logger, localAddresses: localAddresses, onOutcome: onOutcome,
            onConfiguration: onConfiguration)
    }

    /// Starts the thread. Call once.
    public func start() throws(Errno) {
        let (mailbox, published, setup) = (mailbox, published, loop)
        setup.target.onListenerChange { acknowledgement in mailbox.update { $0.acknowledgement = acknowledgement } }
        try Thread(named: "controller") {
            ControllerLoop(
                setup,
                publish: { state in
                    // What the last one alone held is let go of without the lock: it may be thousands of objects.
                    _ = published.withLock { published in
                        defer { published = state }
                        return published
                    }
                }
            ).run(mailbox)
            mailbox.update { $0.stopped = true }
        }.detach()
    }

    /// Hands over the newest snapshot. `isComplete`: every part of the source could be read. `touched`: what may differ from
    /// the snapshot that was handed over before; nil: that is looked for. `seen`: when the change that led to it was noticed.
    public func submit(
        _ snapshot: ClusterSnapshot, isComplete: Bool, touched: TouchedObjects? = nil, seen: MonotonicTime = .now()
    ) {
        mailbox.update { mailbox in
            // A snapshot that replaces one not yet taken answers for the older change too.
            let first = min(mailbox.snapshot?.seen ?? seen, seen)
            let untaken: TouchedObjects? = mailbox.snapshot.map { $0.touched } ?? TouchedObjects()
            mailbox.snapshot = (snapshot, isComplete, TouchedObjects.merged(untaken, touched), first)
        }
    }

    /// Hands over the newest state of the caches. Until every kind was listed once nothing is made of it. A state in
    /// which only statuses differ is neither translated nor applied again. `seen`: as above.
    public func submit(_ state: ClusterState, seen: MonotonicTime = .now()) {
        mailbox.update { mailbox in
            let first = min(mailbox.cluster?.seen ?? seen, seen)
            let untaken: TouchedObjects? = mailbox.cluster.map { $0.state.touched } ?? TouchedObjects()
            mailbox.cluster = (state, first)
            mailbox.cluster?.state.touched = TouchedObjects.merged(untaken, state.touched)
        }
    }

    /// What has been reached.
    public var state: ControllerState { published.withLock { $0 } }

    /// Ends the loop after the turn it is in, and waits for that. What the engine runs stays.
    public func stop() {
        mailbox.update { $0.stopping = true }
        _ = mailbox.wait { $0.stopped ? true : nil }
    }
}
