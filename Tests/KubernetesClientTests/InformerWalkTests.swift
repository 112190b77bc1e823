import HTTPClient
import Platform
import Primitives
import Testing

@testable import KubernetesClient

/// Random answers in random order: what holds of the machine whatever a server does.
@Suite("Informer machine: random walks", .timeLimit(.minutes(1)))
struct InformerWalkTests {
    @Test("one request at a time, no tight loop, never less known than before; a good server is followed in the end")
    func walk() throws {
        for _ in 0..<200 {
            let seed = UInt64.random(in: 0 ... .max)
            var walk = Walk(seed: seed)
            for _ in 0..<300 { walk.step() }
            walk.behave()
            #expect(walk.faults.isEmpty, "seed \(seed): \(walk.faults.prefix(3))")
        }
    }
}

private struct Walk {
    private enum Open: Equatable { case nothing, list, watch }

    private var machine: InformerMachine
    private var random: SplitMix64
    private var now = MonotonicTime(nanoseconds: 0)
    private var open = Open.nothing
    private var hasHead = false
    /// Requests since the last second began.
    private var recent: [MonotonicTime] = []
    private(set) var faults: [String] = []

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        machine = InformerMachine(streamsLists: Bool.random(using: &random), seed: random.next())
    }

    private mutating func check(_ holds: Bool, _ what: String) { if !holds { faults.append("\(now): \(what)") } }

    mutating func step() {
        let wasSynced = machine.hasSynced
        run()
        switch Int.random(in: 0..<4, using: &random) {
        case 0: now = now + .milliseconds(Int.random(in: 0..<2000, using: &random))
        case 1: now = now + .seconds(Int.random(in: 0..<200, using: &random))
        default: break
        }
        answer()
        check(machine.hasSynced || !wasSynced, "it knew everything and does not any more")
        check(!machine.hasSynced || machine.resourceVersion != nil, "whole without a version")
        if case .waiting(_, let until) = machine.state {
            check(until - now <= .seconds(90), "a pause of more than Retry-After and 30 s")
        }
    }

    /// Carries out what the machine asks for.
    private mutating func run() {
        var commands = 0
        while let command = machine.next(now: now) {
            commands += 1
            guard commands < 10 else { return check(false, "more than ten commands at one moment") }
            switch command {
            case .cancel:
                check(open == .watch, "a watch is given up that is not open")
                open = .nothing
            case .list:
                check(open == .nothing, "a list beside another request")
                open = .list
            case .watch(let watch):
                check(open == .nothing, "a watch beside another request")
                check((watch.resourceVersion == nil) == machine.isInitial, "a watch from a version with a list")
                check((300...600).contains(watch.timeoutSeconds), "a time-out of \(watch.timeoutSeconds) s")
                (open, hasHead) = (.watch, false)
            }
            if command != .cancel { recent.append(now) }
        }
        recent.removeAll { now - $0 > .seconds(1) }
        check(recent.count <= 60, "\(recent.count) requests within a second")
    }

    private mutating func answer() {
        switch open {
        case .nothing: break
        case .list:
            open = .nothing
            guard Bool.random(using: &random) else { return machine.failed(failure(), now: now) }
            _ = machine.listed(continueToken: Bool.random(using: &random) ? "t" : nil, resourceVersion: version())
        case .watch where !hasHead:
            switch Int.random(in: 0..<5, using: &random) {
            case 0: break
            case 1:
                open = .nothing
                machine.failed(failure(), now: now)
            default:
                hasHead = true
                machine.opened(now: now)
            }
        case .watch: event()
        }
    }

    private mutating func event() {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: end(.finished)
        case 1: end(.failed(TransportError(.interrupted, "cut")))
        case 2: end(.consumerTooSlow)
        case 3:
            open = .nothing
            machine.failed(failure(), now: now)
        case 4: break
        default:
            let ends = machine.isInitial && Bool.random(using: &random)
            let isWhole = machine.received(resourceVersion: version(), endsInitialEvents: ends, now: now)
            check(isWhole == ends, "whole without the end of the initial events")
        }
    }

    private mutating func end(_ end: HTTPStreamEnd) {
        open = .nothing
        machine.ended(end, now: now)
    }

    private mutating func version() -> String { String(Int.random(in: 1..<1000, using: &random)) }

    private mutating func failure() -> APIError {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .transport(TransportError(.unreachable, "gone"))
        case 1: return .malformed("nonsense")
        case 2: return .credentials("no token")
        default:
            let code = [400, 401, 403, 404, 410, 410, 422, 429, 500, 503].randomElement(using: &random) ?? 500
            let retryAfter: Duration? = code == 429 ? .seconds(Int.random(in: 0..<60, using: &random)) : nil
            return .status(APIStatus(code: code, reason: "", message: "", retryAfter: retryAfter))
        }
    }

    /// From now on the server answers as it should: within three minutes everything is known and watched.
    mutating func behave() {
        let begin = now
        while now - begin < .seconds(240) {
            run()
            switch open {
            case .list:
                open = .nothing
                _ = machine.listed(continueToken: nil, resourceVersion: "5000")
            case .watch:
                if !hasHead { machine.opened(now: now) }
                hasHead = true
                _ = machine.received(resourceVersion: "5000", endsInitialEvents: machine.isInitial, now: now)
            case .nothing: break
            }
            now = now + .seconds(1)
        }
        check(machine.hasSynced && machine.resourceVersion == "5000", "not synced with a good server")
        check(open == .watch && machine.problem == nil, "not watching a good server: \(machine.state)")
    }
}
