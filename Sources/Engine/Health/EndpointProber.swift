internal import CLinux
internal import COpenSSL
public import EngineModel
internal import EngineCore
internal import Glibc
public import Observability
public import Platform
internal import Resolver

/// Runs the health check of a backend once against each of its endpoints, as the engine would, and says how each step went.
/// Without an active check it is enough to connect, over TLS where connections use it.
public struct EndpointProber: Sendable {
    private let logger: Logger
    private let dnsServers: String?

    /// `dnsServers`: `address:port` separated by commas; nil for those of /etc/resolv.conf.
    public init(logger: Logger, dnsServers: String? = nil) { (self.logger, self.dnsServers) = (logger, dnsServers) }

    /// How long names are waited for.
    private static let patienceForNames = Duration.seconds(5)

    /// Blocks for at most five seconds for names and the check's own timeout for all endpoints. Fails where the process has no
    /// descriptor for it.
    public func probe(_ backend: BackendConfiguration) throws(Errno) -> BackendProbe {
        sluice_tls_prepare()
        var backend = backend
        if backend.settings.health.active == nil { backend.settings.health.active = ActiveHealthCheck() }
        let runtime = try resolve(backend)
        guard let runtime, let plan = runtime.health?.plan else { return BackendProbe(endpoints: [], problems: []) }
        var problems = runtime.resolved.refused
        if runtime.resolved.hasFailed || runtime.resolved.isPending {
            problems.append("a name of the backend has no addresses")
        }
        var seen: Set<StreamAddress> = []
        let endpoints = runtime.endpoints.map(\.address).filter { seen.insert($0).inserted }
        return BackendProbe(endpoints: try run(plan, endpoints), problems: problems)
    }

    /// The backend with the addresses that its names have now.
    private func resolve(_ backend: BackendConfiguration) throws(Errno) -> BackendRuntime? {
        let changed = Monitored(false)
        let resolver = try Resolver(logger: logger, servers: dnsServers)
        let names = NameWatcher(resolver: resolver) { changed.update { $0 = true } }
        let configuration = EngineConfiguration(backends: [backend])
        let deadline = MonotonicTime.now() + EndpointProber.patienceForNames
        while true {
            // Anew each time: what is wrong is then said by the last answers.
            var compiler = TableCompiler(workers: 1, logger: logger)
            if let keys = compiler.changedNames(configuration) { names.watch(keys) }
            let runtime = compiler.compile(configuration, names: names.answers).backends[backend.id]
            guard let runtime, runtime.resolved.isPending, .now() < deadline else { return runtime }
            _ = changed.wait(until: deadline) { hasChanged in
                defer { hasChanged = false }
                return hasChanged ? true : nil
            }
        }
    }

    private func run(_ plan: CheckPlan, _ endpoints: [StreamAddress]) throws(Errno) -> [EndpointProbe] {
        let epoll = try Epoll()
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { scratch.deallocate() }
        var probes: [EndpointProbe] = []
        var rest = endpoints[...]
        // Some at a time, so that descriptors suffice.
        while !rest.isEmpty {
            let part = rest.prefix(128)
            rest = rest.dropFirst(part.count)
            let runs = part.enumerated().map { index, endpoint in
                CheckRun(
                    plan, endpoint: endpoint, token: UInt64(index), now: MonotonicTime.now().nanoseconds,
                    recordsOutcomes: true)
            }
            for run in runs { run.start(epoll, now: MonotonicTime.now().nanoseconds, scratch) }
            finish(runs, epoll, scratch)
            probes += zip(part, runs).map { EndpointProbe(of: $1, endpoint: $0) }
        }
        return probes
    }

    private func finish(_ runs: [CheckRun], _ epoll: Epoll, _ scratch: UnsafeMutableRawBufferPointer) {
        var events = [epoll_event](repeating: epoll_event(), count: 128)
        while let deadline = runs.filter({ !$0.isDone }).map(\.deadline).min() {
            let left = max(0, deadline - MonotonicTime.now().nanoseconds)
            let count = sluice_epoll_wait(
                epoll.raw, &events, Int32(events.count), Int32(clamping: left / 1_000_000 + 1))
            let now = MonotonicTime.now().nanoseconds
            for index in 0..<Int(max(0, count)) {
                let run = runs[Int(events[index].data.u64)]
                if !run.isDone { run.handle(events[index].events, now: now, scratch) }
            }
            for run in runs where !run.isDone && run.deadline <= now { run.expire(now: now, scratch) }
        }
    }
}

extension EndpointProbe {
    fileprivate init(of run: CheckRun, endpoint: StreamAddress) {
        let result = run.result
        var trace = ProbeTrace()
        trace.note(run)
        self.init(
            endpoint: "\(endpoint)", target: "\(run.plan.address(of: endpoint))",
            passed: result.map { $0.failure == nil } ?? false, steps: trace.steps,
            duration: .nanoseconds(result?.duration ?? 0))
    }
}

/// The steps of a check, one after the other.
private struct ProbeTrace {
    var steps: [EndpointProbe.Step] = []
    /// Nanoseconds from the start that the steps took.
    private var spent: Int64 = 0

    /// A part of the way that ended so long after the start.
    private mutating func add(_ action: String, until end: Int64, _ received: String = "", problem: String? = nil) {
        steps.append(
            EndpointProbe.Step(
                action: action, passed: problem == nil, duration: .nanoseconds(max(0, end - spent)),
                received: received, problem: problem))
        spent = end
    }

    mutating func note(_ run: CheckRun) {
        guard let result = run.result else { return add("connect", until: 0, problem: run.shortage ?? "not run") }
        let failure = result.failure
        guard let connected = result.connected else {
            return add("connect", until: result.duration, problem: failure?.problem ?? "not connected")
        }
        add("connect", until: connected)
        if run.plan.tls != nil {
            guard let secured = result.secured else {
                return add("tls", until: result.duration, problem: failure?.problem ?? "no handshake")
            }
            add("tls", until: secured)
        }
        let script = run.plan.script.steps
        for outcome in result.outcomes {
            add(
                script[outcome.step].action.text, until: spent + outcome.ended - outcome.began,
                printable(outcome.received, limit: CheckFailure.keptBytes))
        }
        guard let failure else { return }
        let step = failure.step.flatMap { $0 < script.count ? script[$0] : nil }
        add(
            step?.action.text ?? "header", until: result.duration,
            printable(failure.received, limit: CheckFailure.keptBytes), problem: failure.problem)
    }
}
