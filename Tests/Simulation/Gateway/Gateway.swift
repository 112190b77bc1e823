import EngineCore
import EngineModel
import Observability
import Platform
import Primitives

@testable import Engine

/// A gateway without sockets: the engine's own tables, balancers, limits, circuits, queues, timers, health and drains, put together by
/// workers, a checker and a control thread that take their turns under a virtual clock, in an order that the seed draws.
final class Gateway {
    enum Event {
        case worker(Int, Happening)
        case check(slot: Int32, token: UInt64, passed: Bool)
    }

    let scenario: Scenario
    let clock = VirtualClock()
    let dice: Dice
    var random: SplitMix64
    private(set) var configuration: EngineConfiguration
    var compiler: TableCompiler
    private(set) var table = VirtualTable()
    var departures = Departures()
    var watch = SessionWatch()
    /// For the control thread.
    var healthChanges: [HealthChange] = []
    var controlDue: Int64 = .max
    private(set) var checker: VirtualChecker
    private(set) var workers: [VirtualWorker] = []
    var events = EventQueue<Event>()
    var faults: [SocketAddress: Fault] = [:]
    let oracle: Oracle
    let trace: ((String) -> Void)?
    private var nextSession: UInt64 = 0
    private var turns = 0

    init(_ scenario: Scenario, trace: ((String) -> Void)?) {
        self.scenario = scenario
        self.trace = trace
        dice = Dice(seed: scenario.seed ^ 0x5eed)
        random = SplitMix64(seed: scenario.seed ^ 0xfeed)
        configuration = scenario.configuration
        let clock = clock
        compiler = TableCompiler(workers: scenario.workers, logger: .disabled, clock: { clock.time })
        oracle = Oracle(clock)
        checker = VirtualChecker(random: SplitMix64(seed: scenario.seed ^ 0xc4ec))
        checker.gateway = self
        for index in 0..<scenario.workers { workers.append(VirtualWorker(index, self)) }
    }

    /// Breaks the cycles between the gateway and its parts.
    func end() { workers = [] }

    func tell(_ text: @autoclosure () -> String) {
        guard let trace else { return }
        let time = (clock.now - 1_000_000_000_000) / 1000
        trace("\(time / 1000).\(String(1000 + time % 1000).dropFirst()) ms  \(text())")
    }

    func newSessionID() -> UInt64 {
        nextSession += 1
        return nextSession
    }

    // MARK: Steps

    func perform(_ step: Step) {
        advance(by: step.wait * 1000)
        guard !oracle.hasFailed else { return }
        tell("* \(step.action)")
        switch step.action {
        case .pass: return
        case .arrive(let worker, let listener, let client):
            send(.arrives(listener: listener % configuration.listeners.count, client), to: worker % workers.count)
        case .leave(let client):
            let open = workers.flatMap { worker in worker.open.map { (worker.index, $0.id) } }.sorted { $0.1 < $1.1 }
            guard !open.isEmpty else { return }
            let (worker, id) = open[client % open.count]
            send(.leaves(id), to: worker)
        case .fault(let backend, let endpoint, let fault): set(fault, backend, endpoint)
        case .scale(let backend, let present):
            let index = backend % configuration.backends.count
            let all = scenario.configuration.backends[index].endpoints
            configuration.backends[index].endpoints = all.enumerated().filter { present >> UInt($0.offset) & 1 == 1 }
                .map(\.element)
            apply()
        case .edit(let edit):
            edit.apply(to: &configuration, first: scenario.configuration)
            apply()
        case .stall(let worker, let milliseconds):
            let stalled = workers[worker % workers.count]
            stalled.stalledUntil = max(stalled.stalledUntil, clock.now + milliseconds * 1_000_000)
            oracle.excusedUntil = max(oracle.excusedUntil, stalled.stalledUntil + 1_000_000_000)
        }
        advance(by: 0)
    }

    func send(_ happening: Happening, to worker: Int, after nanoseconds: Int64 = 0) {
        events.add(.worker(worker, happening), at: clock.now + nanoseconds)
    }

    func set(_ fault: Fault, _ backend: Int, _ endpoint: Int) {
        let backend = backend % scenario.configuration.backends.count
        let address = Names.endpoint(backend, endpoint % scenario.configuration.backends[backend].endpoints.count)
        faults[address] = fault
        guard fault == .refuses else { return }
        // Its process has died, and with it its connections.
        for worker in workers {
            for session in worker.open where session.endpoint?.address == .ip(address) && session.stage == .relay {
                send(.resets(session.id), to: worker.index, after: dice.roll(0...2_000_000))
            }
        }
    }

    // MARK: Configuration

    /// As `Engine.reconcile` does it, but for sockets.
    func apply() {
        let compiled = compiler.compile(configuration, names: NameAnswers())
        oracle.compiled(compiler, configuration)
        if let targets = compiler.healthBook.takeTargets() { checker.use(targets) }
        departures.note(compiled.changes, listeners: compiler.listeners, now: clock.time)
        table = VirtualTable(
            generation: table.generation + 1, backends: compiled.backends,
            listeners: configuration.listeners.map { compiler.listeners[.init(id: $0.id, port: $0.port)] },
            bandwidthChanges: compiler.bandwidth.changes)
        controlDue = clock.now
        for worker in workers { worker.isWoken = true }
        runAll()
        while workers.contains(where: { $0.table.generation < table.generation }), !oracle.hasFailed {
            guard step(until: .max) else { break }
        }
        watch.note(compiler, now: clock.time)
        if !watch.isEmpty { controlDue = clock.now }
        runAll()
    }

    func restoreConfiguration() {
        configuration = scenario.configuration
        apply()
    }

    // MARK: Time

    func advance(by nanoseconds: Int64) {
        let end = clock.now + nanoseconds
        runAll()
        while !oracle.hasFailed, step(until: end) {}
        clock.advance(to: end)
    }

    /// Goes on to what happens next, at most to `end`. False: nothing does until then.
    private func step(until end: Int64) -> Bool {
        let times = workers.map(\.nextTurn) + [events.firstTime ?? .max, checker.nextTurn, controlDue]
        guard let next = times.min(), next <= end, next != .max else { return false }
        clock.advance(to: next)
        runAll()
        return true
    }

    /// Everybody who has something to do takes turns, in any order, until nobody has.
    private func runAll() {
        while !oracle.hasFailed {
            while let event = events.take(upTo: clock.now) {
                switch event {
                case .worker(let index, let happening): workers[index].inbox.append(happening)
                case .check(let slot, let token, let passed): checker.results.append((slot, token, passed))
                }
            }
            var candidates = workers.indices.filter { workers[$0].isRunnable(clock.now) }
            if checker.isRunnable(clock.now) { candidates.append(-1) }
            if controlDue <= clock.now || !healthChanges.isEmpty { candidates.append(-2) }
            guard !candidates.isEmpty else { break }
            turns += 1
            if turns > 200_000 { return oracle.fail("spin", "nobody comes to rest") }
            switch dice.pick(candidates) {
            case -1: checker.turn(clock.now)
            case -2: controlTurn()
            case let index: workers[index].turn(clock.now)
            }
            // A turn takes a little time.
            if dice.chance(30) { clock.advance(by: dice.roll(0...30_000)) }
        }
        oracle.atRest(self)
    }

    func wake(_ bits: UInt64) {
        for worker in workers where bits >> UInt64(worker.index) & 1 == 1 { worker.isWoken = true }
    }

    // MARK: The control thread

    private func controlTurn() {
        let changes = healthChanges
        healthChanges = []
        if !changes.isEmpty {
            for worker in workers { worker.order(.recheckWaiting) }
            watch.judge(now: clock.time)
        }
        let (departed, first) = departures.turn(now: clock.time, logger: .disabled)
        let (ended, second) = watch.turn(now: clock.time)
        if departed || ended { for worker in workers { worker.order(.sweep) } }
        let next = min(first, second)
        // The real thread looks every second at the latest; here it need not where there is nothing to look at.
        let isIdle = departures.isEmpty && watch.isEmpty
        controlDue = isIdle ? next.nanoseconds : min(next.nanoseconds, clock.now + 1_000_000_000)
    }
}
