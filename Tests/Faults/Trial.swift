import CFaults
import Engine
import EngineModel
import Glibc
import Platform
import Synchronization
import TestSupport

/// One engine from start to stop, while calls fail by some rules: everything goes through it, and nothing may be lost.
struct Trial {
    let title: String
    /// Rules for a first load; where one of them was never met in it, later ones make another load.
    let stages: [[faults_rule]]
    let seed: UInt64
    let modes: [Mode]
    /// Whether every client is to be served.
    let isHarmless: Bool
    let isShort: Bool
    let scene: Scene
    let verdict: Verdict

    /// What was done, and how often each rule was the cause of a failure.
    struct Result {
        var injected: [UInt64]
        var served = 0
        var cut = 0
        var startsRefused = 0
    }

    func run() -> Result {
        verdict.begin("\(title) (seed \(seed))")
        let before = Levels.now()
        var result = Result(injected: Array(repeating: 0, count: stages.first?.count ?? 0))
        do {
            if let gateway = try start(&result) { try serve(gateway, &result) }
        } catch {
            verdict.violated("the trial itself failed: \(error)")
        }
        faults_disarm()
        let isBack = waitUntil(deadline: .seconds(10)) {
            let now = Levels.now()
            return now.descriptors <= before.descriptors && now.threads <= before.threads
        }
        verdict.expect(isBack, "not back at the level: \(before) before, \(Levels.now()) after")
        return result
    }

    /// An engine that was started while calls fail, where it can be; else one that was started before.
    private func start(_ result: inout Result) throws -> Gateway? {
        arm(stages[0])
        defer { collect(&result) }
        do {
            return try chosen { try Gateway(scene) }
        } catch {
            result.startsRefused += 1
        }
        collect(&result)
        return try Gateway(scene)
    }

    private func arm(_ rules: [faults_rule]) { faults_arm(rules, Int32(rules.count), seed) }

    /// What was injected until now; nothing is any more.
    private func collect(_ result: inout Result) {
        faults_disarm()
        for index in result.injected.indices { result.injected[index] += faults_injected(Int32(index)) }
    }

    /// The calling thread's calls fail as the engine's do.
    private func chosen<Value>(_ body: () throws -> Value) rethrows -> Value {
        faults_choose_thread(1)
        defer { faults_choose_thread(-1) }
        return try body()
    }

    private func serve(_ gateway: Gateway, _ result: inout Result) throws {
        var made = 0
        for (number, rules) in stages.enumerated() {
            if number > 0, result.injected[0] > 0 { break }
            arm(rules)
            made += try load(gateway, number, &result)
            idle()
            collect(&result)
        }
        made += try recover(gateway, &result)
        made += try Handover(scene: scene, verdict: verdict).run(from: gateway, stages[0], seed: seed) {
            collect(&result)
        }
        // The kernel never fails to give what was just peeked at: then, and only then, a client is turned away for that.
        verdict.expect(
            !isHarmless || gateway.reasons.allSatisfy { $0.contains("internal_error") },
            "\(result.cut) clients were not served: \(gateway.reasons)")
        gateway.engine.stop()
        settle(gateway, made)
        gateway.removeLog()
    }

    /// Clients of all modes at once, while the configuration changes. Connections made.
    private func load(_ gateway: Gateway, _ number: Int, _ result: inout Result) throws -> Int {
        let outcomes = Locked<[Outcome]>([])
        let (modes, scene, verdict, isShort) = (modes, scene, verdict, isShort)
        let configuration = try scene.configuration()
        _ = chosen { gateway.engine.apply(configuration) }
        let clients = try modes.map { mode in
            try BackgroundWork {
                // By chance the first endpoint that is tried may be the one that serves.
                for round in 0..<(mode == .retry ? 6 : isShort ? 1 : 4) {
                    let outcome = visit(mode, port: scene.ports[mode] ?? 0, small: round % 2 == 1, verdict)
                    outcomes.withLock { $0.append(outcome) }
                }
            }
        }
        let flag = Flag()
        let changes = try BackgroundWork { [changing = Changes(gateway: gateway, scene: scene, verdict: verdict)] in
            try changing.run(until: flag)
        }
        for client in clients { try client.value(timeout: .seconds(120)) }
        flag.raise()
        try changes.value(timeout: .seconds(60))
        let seen = outcomes.withLock { $0 }
        result.served += seen.count { $0 == .served }
        result.cut += seen.count { $0 == .cut }
        return seen.count { $0 != .refused }
    }

    /// Nobody wants anything, though calls still fail: then nothing runs hot.
    private func idle() {
        let window = Duration.milliseconds(isShort ? 40 : 150)
        let (waits, cpu) = (engineWaits, processCPU)
        pause(for: window)
        let (waited, used) = (engineWaits - waits, processCPU - cpu)
        let most = UInt64(isShort ? 400 : 1000)
        verdict.expect(waited < most, "the engine waited \(waited) times in \(window) of rest")
        verdict.expect(used < window, "\(used) of processor time in \(window) of rest")
    }

    private var engineWaits: UInt64 {
        ["epoll_wait", "epoll_pwait2", "poll"].compactMap { Failure.calls[$0] }.reduce(0) { $0 + faults_calls($1, 0) }
    }

    private var processCPU: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Nothing fails any more: each mode serves again, by itself. Connections made.
    private func recover(_ gateway: Gateway, _ result: inout Result) throws -> Int {
        let (scene, verdict) = (scene, verdict)
        let visitors = try modes.map { mode in
            try BackgroundWork {
                var made = 0
                let isServed = waitUntil(deadline: .seconds(12)) {
                    let outcome = visit(mode, port: scene.ports[mode] ?? 0, small: true, verdict)
                    if outcome != .refused { made += 1 }
                    if outcome != .served { pause(for: .milliseconds(5)) }
                    return outcome == .served
                }
                verdict.expect(isServed, "\(mode.rawValue) does not serve again; \(gateway.engine.warnings)")
                return made
            }
        }
        return try visitors.reduce(0) { $0 + (try $1.value()) }
    }

    /// Every connection ended, counted once, and is in the access log unless that says that it was not.
    private func settle(_ gateway: Gateway, _ made: Int) {
        let isSettled = waitUntil(deadline: .seconds(5)) {
            gateway.engine.activeConnections == 0 && gateway.counts() == (made, made)
        }
        let (counts, left) = (gateway.counts(), gateway.engine.activeConnections)
        verdict.expect(
            isSettled,
            "\(made) clients came, \(counts.accepted) are counted, and the ends of \(counts.ended); \(left) are there")
        gateway.accessLog.flush()
        let (lines, dropped) = (gateway.wholeLines(), Int(gateway.accessLog.dropped))
        verdict.expect(
            lines <= made && lines + dropped >= made,
            "\(made) ends, \(lines) lines in the access log, \(dropped) told as lost")
    }
}

/// Raised once, by anybody.
final class Flag: Sendable {
    private let isUp = Atomic(false)
    func raise() { isUp.store(true, ordering: .releasing) }
    var isRaised: Bool { isUp.load(ordering: .acquiring) }
}
