internal import KubernetesAPI
internal import Observability
internal import Platform

/// The thread of a ``ClusterSource``: runs the informers, gathers changes and hands over states.
final class ClusterLoop {
    /// How long a state waits for the Secrets and ConfigMaps that it newly refers to.
    private static let patience = Duration.milliseconds(500)
    private static let firstPatience = Duration.seconds(10)
    /// Between two publications of the health.
    private static let healthInterval = Duration.milliseconds(100)
    /// Between two discoveries where the CRDs may not be watched.
    private static let rediscovery = Duration.seconds(30)
    /// And where they are, in case something was missed.
    private static let seldomRediscovery = Duration.seconds(600)

    private let options: ClusterSource.Options
    private let logger: Logger
    private let mailbox: Monitored<RequestDesk.Mailbox>
    private let publish: (ClusterHealth) -> Void
    private let onChange: @Sendable (ClusterState) -> Void

    private let contents = ClusterContents()
    private let desk: RequestDesk
    private let kinds: KindWatches
    private let references: ReferenceWatches
    private let discovery: Discovery
    private let ownSecret: OwnSecretWatch?

    private var firstChange: MonotonicTime?
    private var lastChange = MonotonicTime(nanoseconds: 0)
    /// A state could be handed over but for references that are not settled: since then.
    private var heldSince: MonotonicTime?
    private var hasDelivered = false
    private var validityChange: Int64?
    private var healthPublished = MonotonicTime(nanoseconds: 0)
    /// Something happened since then.
    private var healthIsStale = true
    /// What the references follow from changed since they were last asked for.
    private var referencesAreStale = true

    init(
        server: any APIServer, options: ClusterSource.Options, logger: Logger,
        mailbox: Monitored<RequestDesk.Mailbox>, publish: @escaping (ClusterHealth) -> Void,
        onChange: @escaping @Sendable (ClusterState) -> Void
    ) {
        (self.options, self.logger, self.mailbox, self.publish) = (options, logger, mailbox, publish)
        self.onChange = onChange
        desk = RequestDesk(server: server, mailbox: mailbox)
        let timing = InformerTiming().scaled(by: options.clockFactor)
        let factory = InformerFactory(
            contents: contents, timing: timing, desk: desk, logger: logger, seed: .random(in: 0 ... .max))
        let kinds = KindWatches(factory: factory, options: options)
        self.kinds = kinds
        references = ReferenceWatches(factory: factory)
        ownSecret = options.ownSecret.map {
            OwnSecretWatch($0, namespace: options.ownNamespace, factory: factory)
        }
        discovery = Discovery(
            groups: Set(ClusterKind.discovered.map(\.resource.group)), timing: timing, desk: desk, logger: logger,
            seed: .random(in: 0 ... .max)
        ) { kinds.apply($0) }
        discovery.lifetime = { [unowned kinds] in
            let isTold = kinds.seesDefinitions && !kinds.missesKinds
            return (isTold ? Self.seldomRediscovery : Self.rediscovery) * options.clockFactor
        }
        kinds.onAbsence = { [unowned discovery] in discovery.invalidate() }
        if let namespaces = options.watchNamespaces { contents.snapshot.scope = .namespaces(Set(namespaces).sorted()) }
    }

    func run() {
        while true {
            let now = MonotonicTime.now()
            step(now: now)
            deliver(now: now)
            publishHealth(now: now)
            let mail = mailbox.wait(until: deadline(after: now)) { mailbox in
                guard !mailbox.isEmpty else { return RequestDesk.Mailbox?.none }
                defer { mailbox = RequestDesk.Mailbox() }
                return mailbox
            }
            healthIsStale = true
            guard let mail else { continue }
            if mail.stopping { break }
            desk.deliver(mail)
            if let watches = mail.watchesNodes { kinds.setWatchesNodes(watches) }
        }
        kinds.stop()
        references.stop()
        ownSecret?.informer.stop()
    }

    private var informers: [Informer] {
        kinds.required + kinds.optional + references.informers + [ownSecret?.informer].compactMap { $0 }
    }

    private func step(now: MonotonicTime) {
        discovery.step(now: now)
        for informer in informers { informer.step(now: now) }
        ownSecret?.review()
        let notPermitted = references.review()
        if contents.snapshot.notPermitted != notPermitted {
            contents.snapshot.notPermitted = notPermitted
            contents.snapshotChanged = true
        }
        if contents.definitionsChanged {
            contents.definitionsChanged = false
            if hasDelivered || discovery.served != nil { discovery.invalidate() }
            let bundle = contents.bundle
            if contents.snapshot.gatewayAPIBundle != bundle {
                contents.snapshot.gatewayAPIBundle = bundle
                contents.snapshotChanged = true
            }
        }
        guard contents.isTouched else { return }
        (contents.isTouched, referencesAreStale) = (false, true)
        firstChange = firstChange ?? now
        lastChange = now
    }

    private var isComplete: Bool {
        discovery.served != nil && kinds.required.allSatisfy(\.machine.hasSynced)
            && kinds.optional.allSatisfy(\.isSettled)
    }

    /// When what has changed is handed over.
    private var deliveryTime: MonotonicTime? {
        guard let firstChange else { return hasDelivered || !isComplete ? nil : lastChange }
        guard hasDelivered || isComplete else { return nil }
        return min(lastChange + options.quiet, firstChange + options.longestDelay)
    }

    private func deliver(now: MonotonicTime) {
        let seconds = realtimeNanoseconds() / 1_000_000_000
        if let validityChange, validityChange <= seconds, hasDelivered {
            self.validityChange = nil
            contents.snapshotChanged = true
            firstChange = firstChange ?? now
        }
        guard let time = deliveryTime, time <= now, !waitsForReferences(now: now) else { return }
        heldSince = nil
        firstChange = nil
        contents.judgePatterns()
        if contents.snapshotChanged || !hasDelivered { contents.snapshot.asOf = seconds }
        (contents.snapshotChanged, contents.observedChanged, contents.isTouched) = (false, false, false)
        if !hasDelivered {
            hasDelivered = true
            // Whoever gets the first state finds the source synced.
            (healthPublished, healthIsStale) = (MonotonicTime(nanoseconds: 0), true)
            publishHealth(now: now)
        }
        validityChange = contents.snapshot.nextValidityChange
        var state = ClusterState(snapshot: contents.snapshot, observed: contents.observed, isSynced: true)
        (state.touched, contents.touched) = (contents.touched, TouchedObjects())
        state.faults = contents.faults.sorted { $0.key < $1.key }.map {
            ClusterState.Fault(kind: $0.key.kind, key: $0.key.key, field: $0.value.field, message: $0.value.message)
        }
        onChange(state)
    }

    /// A reference that is new is given a moment, so that nobody is told of a Secret that is missing only because it has
    /// not been asked for yet.
    private func waitsForReferences(now: MonotonicTime) -> Bool {
        if referencesAreStale, contents.snapshotChanged || !hasDelivered {
            references.update(options.references(contents.snapshot))
            referencesAreStale = false
        }
        let open = references.informers.filter { !$0.isSettled }
        for informer in open { informer.step(now: now) }
        let limit = (hasDelivered ? Self.patience : Self.firstPatience) * options.clockFactor
        let waits = open.contains { now - $0.since < limit }
        heldSince = waits ? heldSince ?? now : nil
        return waits
    }

    private func deadline(after now: MonotonicTime) -> MonotonicTime? {
        var moments = informers.compactMap(\.machine.deadline)
        if let moment = discovery.deadline { moments.append(moment) }
        if let moment = deliveryTime {
            moments.append(heldSince == nil ? moment : now + options.quiet)
        }
        if healthIsStale { moments.append(healthPublished + Self.healthInterval) }
        if let validityChange {
            // The wall clock may be set: look at it at least once a minute.
            let (nanoseconds, isFar) = validityChange.multipliedReportingOverflow(by: 1_000_000_000)
            let delay = Duration.nanoseconds(isFar ? .max : nanoseconds - realtimeNanoseconds())
            moments.append(now + min(.seconds(60), max(.milliseconds(1), delay)))
        }
        return moments.min()
    }

    private func publishHealth(now: MonotonicTime) {
        guard healthIsStale, healthPublished + Self.healthInterval <= now else { return }
        (healthPublished, healthIsStale) = (now, false)
        publish(
            ClusterHealth(
                kinds.required + references.informers, faults: contents.faultCounts, discovery: discovery.problem,
                isSynced: hasDelivered))
    }
}
