internal import AdminServer
internal import Controller
internal import EngineModel
public import EventStream
internal import ManifestSource
public import Observability
internal import Platform
internal import Primitives
internal import Translation

/// Why `run` or `echo` cannot start: one line for standard error. The process exits with 1.
public struct StartFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// `sluice run`: makes the parts, joins them, serves until a signal, and shuts down in order.
public struct RunCommand: Sendable {
    let options: RunOptions
    let logger: Logger
    private let makeDataPlane: @Sendable (DataPlaneLimits) throws -> any DataPlane
    private let makeSource: SourceFactory
    private let events: EventStream?
    /// With its arguments: what a successor is started with.
    let program: [String]
    let environment: @Sendable (String) -> String?

    /// Makes the source of snapshots, without starting it.
    typealias SourceFactory = @Sendable (RunOptions, TranslationOptions, Logger) throws -> any SnapshotSource

    /// `makeDataPlane` is called once, on the thread that calls ``run(signals:)``. `events`: what the data plane tells of
    /// connections that ended; not started yet.
    public init(
        options: RunOptions, logger: Logger, events: EventStream? = nil,
        makeDataPlane: @escaping @Sendable (DataPlaneLimits) throws -> any DataPlane
    ) {
        self.init(
            options: options, logger: logger, events: events, makeDataPlane: makeDataPlane,
            makeSource: RunCommand.makeSource)
    }

    /// `makeSource` is called once, on the same thread.
    init(
        options: RunOptions, logger: Logger, events: EventStream? = nil,
        makeDataPlane: @escaping @Sendable (DataPlaneLimits) throws -> any DataPlane,
        makeSource: @escaping SourceFactory, program: [String] = CommandLine.arguments,
        environment: @escaping @Sendable (String) -> String? = Host.environment
    ) {
        (self.options, self.logger, self.events) = (options, logger, events)
        (self.program, self.environment) = (program, environment)
        (self.makeDataPlane, self.makeSource) = (makeDataPlane, makeSource)
    }

    /// Serves until it is told to end; returns the exit code.
    public func run(signals: KernelSignals) throws(StartFailure) -> Int32 { try run(signals as any SignalSource) }

    func run(_ signals: any SignalSource, onReady: (Addresses) -> Void = { _ in }) throws(StartFailure) -> Int32 {
        if case .manifests(let path) = options.source, !fileExists(path) {
            throw StartFailure("sluice run: --manifests: there is no file or folder '\(path)'")
        }
        let takeover = try Takeover.begin(environment, path: options.handoverSocket)
        var inherited = InheritedListeners(takeover?.descriptors ?? ServiceManager.inherited(environment))
        let places = ServerPlaces(options, &inherited)
        let hasInherited = !inherited.isEmpty
        var limits = DataPlaneLimits(
            options, processors: Host.usableProcessors, descriptors: Host.raiseDescriptorLimit(),
            memory: Host.memoryLimit)
        (limits.inheritedListeners, limits.holdsListeners) = (inherited.takeAll(), takeover != nil)
        let lifecycle = Lifecycle(readinessOnShutdown: options.readinessOnShutdown, exposure: options.exposure)
        // While another process still answers at their addresses, they come last.
        let early = takeover == nil ? try startServers(places, lifecycle) : nil
        let parts = try assemble(limits, lifecycle, reserved: early?.ports ?? places.ports)
        if let takeover { try awaitReadiness(signals, lifecycle, takeover) }
        let servers = if let early { early } else { try startServers(places, lifecycle) }
        let duties = try makeDuties(servers, parts, lifecycle, takeover, hasInherited: hasInherited)
        if let takeover { finish(takeover, parts.dataPlane, duties) }
        logStart(limits, parts.source.view, probes: servers.probes.address, admin: servers.admin.address)
        onReady(Addresses(probes: servers.probes.address, admin: servers.admin.address))
        let ending = serve(signals, lifecycle, parts.dataPlane, duties, resign: parts.source.resign) { isHandedOver in
            if isHandedOver { servers.stop() }
            parts.source.stop()
            parts.controller.stop()
        }
        parts.source.close()
        parts.observer.stop()
        parts.dataPlane.stop()
        events?.close()
        servers.stop()
        logger.info("ended", ["result": LogValue(ending.text)])
        logger.flush()
        return ending.exitCode
    }

    /// Makes and starts everything but the servers.
    private func assemble(
        _ limits: DataPlaneLimits, _ lifecycle: Lifecycle, reserved: Set<UInt16>
    ) throws(StartFailure) -> Lifecycle.Parts {
        let translation = translationOptions(reserved: reserved)
        let source = try started("the source") { try makeSource(options, translation, logger) }
        try started("the stream of events") { try events?.start() }
        let dataPlane = try started("the engine") { try makeDataPlane(limits) }
        let controller = Controller(
            target: dataPlane, options: source.translation, logger: logger, localAddresses: { Host.localAddresses },
            onOutcome: source.onOutcome, onConfiguration: { source.tickets?.note($0) })
        try started("the keys of TLS session tickets") {
            try source.tickets?.start { dataPlane.setTicketKeys($0) }
        }
        try started("the controller") { try controller.start() }
        try started("the source") { try source.start(controller) }
        let observer = TrafficObserver(dataPlane.makeSampler())
        try started("the observer of traffic") { try observer.start() }
        let parts = Lifecycle.Parts(
            controller: controller, dataPlane: dataPlane, source: source, observer: observer, events: events)
        lifecycle.connect(parts)
        return parts
    }

    /// Where the servers listen, the kernel's choice filled in.
    struct Addresses: Sendable {
        var probes: SocketAddress
        var admin: SocketAddress
    }

    /// What holds for any source.
    private func translationOptions(reserved: Set<UInt16>) -> TranslationOptions {
        var translation = TranslationOptions()
        translation.controllerName = options.controllerName
        translation.defaultClassName = options.gatewayClass
        translation.reservedPorts = reserved
        (translation.zone, translation.node) = (options.zone, options.nodeName)
        return translation
    }

    private static func makeSource(
        _ options: RunOptions, _ translation: TranslationOptions, _ logger: Logger
    ) throws -> any SnapshotSource {
        switch options.source {
        case .manifests(let path):
            try ManifestFolder(
                path, ticketKeys: options.ticketKeyFile, translation: translation, logger: logger)
        case .cluster(let cluster): try ClusterRun(cluster, run: options, translation: translation, logger: logger)
        }
    }

    private func logStart(_ limits: DataPlaneLimits, _ source: SourceView, probes: SocketAddress, admin: SocketAddress)
    {
        logger.info(
            "started",
            [
                "version": LogValue(sluiceVersion), "source": LogValue(source.kind), "from": LogValue(source.from),
                "workers": LogValue(limits.workers), "max_connections": LogValue(limits.maxConnections),
                "buffer_memory": LogValue(limits.bufferMemory), "probes": LogValue(describing: probes),
                "admin": LogValue(describing: admin),
            ])
    }

    private func started<Part>(_ name: String, _ make: () throws -> Part) throws(StartFailure) -> Part {
        do { return try make() } catch { throw StartFailure("sluice run: \(name) cannot start: \(error)") }
    }
}

/// Whether anything can be opened at a path.
private func fileExists(_ path: String) -> Bool {
    do throws(Errno) {
        _ = try FileDescriptor(readingFileAt: path)
        return true
    } catch { return error != .noEntry }
}
