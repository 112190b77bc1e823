internal import KubernetesAPI
internal import Observability
internal import Platform
internal import SnapshotCache

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
    /// Between two looks at the wall clock, which may be set.
    private static let clockInterval = Duration.seconds(5)

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
    /// What was handed over is what the server has, and no cache on disk stands in for it.
    private var isLive = false
    /// Every kind is listed since then, and the state waits for what it refers to.
    private var completeSince: MonotonicTime?
    /// While a cache stands in: as of when, in seconds since 1970.
    private var cachedAsOf: Int64?
    private let keeper: CacheKeeper?
    private let factory: InformerFactory
    /// When a certificate begins or ceases to be valid next; and whether there are any.
    private var validityChange: Int64?
    private var dependsOnTime = false
    /// What the wall clock last said, in seconds since 1970.
    private var wallSeen: Int64 = 0
    private var healthPublished = MonotonicTime(nanoseconds: 0)
    /// Something happened since then.
    private var healthIsStale = true
    /// What the references follow from changed since they were last asked for.
    private var referencesAreStale = true

    init(
        server: any APIServer, options: ClusterSource.Options, loaded: Locked<CachedCluster?>, logger: Logger,
        mailbox: Monitored<RequestDesk.Mailbox>, publish: @escaping (ClusterHealth) -> Void,
        onChange: @escaping @Sendable (ClusterState) -> Void
    ) {
        (self.options, self.logger, self.mailbox, self.publish) = (options, logger, mailbox, publish)
        self.onChange = onChange
        desk = RequestDesk(server: server, mailbox: mailbox)
        let timing = InformerTiming().scaled(by: options.clockFactor)
        let factory = InformerFactory(
            contents: contents, timing: timing, desk: desk, logger: logger, seed: .random(in: 0 ... .max))
        self.factory = factory
        let kinds = KindWatches(factory: factory, options: options)
        self.kinds = kinds
        keeper = options.cache.map { cache in
            let taken = loaded.withLock { loaded -> CachedCluster? in
                defer { loaded = nil }
                return loaded
            }
            return CacheKeeper(cache, loaded: taken, clockFactor: options.clockFactor, logger: logger)
        }
        contents.texts = keeper?.texts
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
            standIn(now: now)
            deliver(now: now)
            if isLive { keeper?.step(now: now, isHeard: isHeard) { cachedKinds } }
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
        if isLive { keeper?.flush { cachedKinds } }
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
            readBundle()
        }
        guard contents.isTouched else { return }
        (contents.isTouched, referencesAreStale) = (false, true)
        firstChange = firstChange ?? now
        lastChange = now
    }

    private func readBundle() {
        let bundle = contents.bundle
        guard contents.snapshot.gatewayAPIBundle != bundle else { return }
        contents.snapshot.gatewayAPIBundle = bundle
        contents.snapshotChanged = true
    }

    private var isComplete: Bool {
        discovery.served != nil && kinds.required.allSatisfy(\.machine.hasSynced)
            && kinds.optional.allSatisfy(\.isSettled)
    }

    /// When what has changed is handed over.
    private var deliveryTime: MonotonicTime? {
        let changed = firstChange.map { min(lastChange + options.quiet, $0 + options.longestDelay) }
        if isLive { return changed }
        if isComplete { return changed ?? lastChange }
        // The first list after an outage may lack what another one brings: they are handed over together, for a while.
        guard cachedAsOf != nil, let changed else { return nil }
        return keeper?.gatheredTime(hasHeard: lastHeard != nil, now: .now()).map { max(changed, $0) }
    }

    private func deliver(now: MonotonicTime) {
        let seconds = realtimeNanoseconds() / 1_000_000_000
        let isDue = validityChange.map { $0 <= seconds } ?? false
        let wasSetBack = seconds < wallSeen && contents.snapshot.validityDiffers(at: seconds)
        wallSeen = seconds
        if isDue || wasSetBack, hasDelivered {
            validityChange = nil
            contents.snapshotChanged = true
            firstChange = firstChange ?? now
        }
        guard let time = deliveryTime, time <= now, !waitsForReferences(now: now) else { return }
        heldSince = nil
        if !isLive, isComplete { becomeLive() }
        handOver(seconds: seconds, now: now)
    }

    private func handOver(seconds: Int64, now: MonotonicTime) {
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
        (validityChange, dependsOnTime) = (contents.snapshot.nextValidityChange, contents.snapshot.dependsOnTime)
        var state = ClusterState(snapshot: contents.snapshot, observed: contents.observed, isSynced: true)
        state.isFromCache = !isLive
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
        // A cache that stands in has what it has.
        guard isLive || isComplete else { return false }
        let begun = completeSince ?? now
        completeSince = isLive ? nil : begun
        let open = references.informers.filter { !$0.isSettled }
        for informer in open { informer.step(now: now) }
        let limit = (isLive ? Self.patience : Self.firstPatience) * options.clockFactor
        let waits = open.contains { now - max($0.since, isLive ? $0.since : begun) < limit }
        heldSince = waits ? heldSince ?? now : nil
        return waits
    }

    private func deadline(after now: MonotonicTime) -> MonotonicTime? {
        var moments = informers.compactMap(\.machine.deadline)
        if let moment = discovery.deadline { moments.append(moment) }
        if let moment = deliveryTime {
            moments.append(heldSince == nil ? moment : now + options.quiet)
        }
        if !hasDelivered, let moment = keeper?.standInTime(lastHeard: lastHeard) { moments.append(moment) }
        if isLive, let moment = keeper?.deadline(isHeard: isHeard) { moments.append(moment) }
        if healthIsStale { moments.append(healthPublished + Self.healthInterval) }
        if dependsOnTime {
            // The wall clock may be set, either way: it is looked at now and then.
            let (nanoseconds, isFar) = (validityChange ?? .max).multipliedReportingOverflow(by: 1_000_000_000)
            let delay = Duration.nanoseconds(isFar ? .max : nanoseconds - realtimeNanoseconds())
            moments.append(now + min(Self.clockInterval * options.clockFactor, max(.milliseconds(1), delay)))
        }
        // What is due at once has no moment of its own, and a wait needs one that the clock has had.
        return moments.min().map { max($0, now) }
    }

    private func publishHealth(now: MonotonicTime) {
        guard healthIsStale, healthPublished + Self.healthInterval <= now else { return }
        (healthPublished, healthIsStale) = (now, false)
        publish(
            ClusterHealth(
                kinds.required + references.informers, faults: contents.faultCounts, discovery: discovery.problem,
                isSynced: hasDelivered, cachedAsOf: cachedAsOf))
    }

    // MARK: A cache on disk

    /// When the server last said something of what is watched.
    private var lastHeard: MonotonicTime? {
        (informers.map(\.lastHeard) + [discovery.lastHeard]).compactMap { $0 }.max()
    }

    /// Every watch is well.
    private var isHeard: Bool { informers.allSatisfy { $0.machine.problem == nil } }

    private var cachedKinds: [ResourceKind] {
        Array(Set((kinds.required + kinds.optional).map(\.kind) + [Secret.resourceKind, ConfigMap.resourceKind]))
    }

    /// Where the server says nothing for a while after the start, what a cache on disk had takes its place.
    private func standIn(now: MonotonicTime) {
        guard !hasDelivered, !isComplete, let time = keeper?.standInTime(lastHeard: lastHeard), time <= now,
            let restored = keeper?.takeLoaded()
        else { return }
        (factory.restored, cachedAsOf) = (restored, restored.asOf)
        if discovery.served == nil { kinds.apply(restored.served) }
        for informer in kinds.required + kinds.optional { informer.restore(restored) }
        contents.definitionsChanged = false
        readBundle()
        references.update(options.references(contents.snapshot))
        contents.snapshot.unread = references.unread
        contents.isTouched = false
        logger.warning(
            "the API server has not answered: what is in the cache is served",
            ["age": LogValue(ageText(realtimeNanoseconds() / 1_000_000_000 - restored.asOf))])
        handOver(seconds: realtimeNanoseconds() / 1_000_000_000, now: now)
    }

    /// The server has said all: the cache does not stand in any more, or does not have to.
    private func becomeLive() {
        isLive = true
        if let restored = keeper?.takeLoaded() {
            // What is referred to and was not answered in time is served as it was, and is not lost to the cache either.
            for informer in references.informers where !informer.isSettled { informer.restore(restored) }
        }
        guard cachedAsOf != nil else { return }
        (factory.restored, cachedAsOf) = (nil, nil)
        contents.snapshot.unread = ReferencedObjects()
        contents.snapshotChanged = true
        // Whoever gets the state finds that it is the server's.
        (healthPublished, healthIsStale) = (MonotonicTime(nanoseconds: 0), true)
        publishHealth(now: .now())
        logger.info("the API server has answered: what it has is served, and no longer the cache")
    }
}
