import FoundationEssentials
import HTTPClient
import Platform
import Testing

@testable import KubernetesClient

@Suite("Informer machine", .timeLimit(.minutes(1)))
struct InformerMachineTests {
    private typealias Command = InformerMachine.Command

    private static func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1_000_000_000))
    }

    private static func refusal(_ code: Int, _ reason: String = "", retryAfter: Duration? = nil) -> APIError {
        .status(APIStatus(code: code, reason: reason, message: "because", retryAfter: retryAfter))
    }

    private static func watch(_ command: Command?) -> InformerMachine.Watch? {
        if case .watch(let watch)? = command { watch } else { nil }
    }

    /// A machine that watches from version 7 since time 0.
    private static func watching(streams: Bool = true) throws -> InformerMachine {
        var machine = InformerMachine(streamsLists: streams, seed: 1)
        if streams {
            let first = try #require(watch(machine.next(now: at(0))))
            #expect(first.resourceVersion == nil)
            machine.opened(now: at(0))
            let isWhole = machine.received(resourceVersion: "7", endsInitialEvents: true, now: at(0))
            #expect(isWhole)
        } else {
            #expect(machine.next(now: at(0)) == .list(continueToken: nil, limit: 500))
            let isWhole = machine.listed(continueToken: nil, resourceVersion: "7")
            #expect(isWhole)
            let second = try #require(watch(machine.next(now: at(0))))
            #expect(second.resourceVersion == "7")
            machine.opened(now: at(0))
        }
        #expect(machine.hasSynced)
        return machine
    }

    @Test("a streaming list goes on as the watch; its events' versions do not count before it is whole")
    func streamingList() throws {
        var machine = InformerMachine(seed: 1)
        let first = try #require(Self.watch(machine.next(now: Self.at(0))))
        #expect(first.resourceVersion == nil && !first.isFresh && (300...600).contains(first.timeoutSeconds))
        #expect(machine.next(now: Self.at(0)) == nil)
        machine.opened(now: Self.at(0))
        let partial = machine.received(resourceVersion: "3", endsInitialEvents: false, now: Self.at(0))
        #expect(!partial && !machine.hasSynced && machine.resourceVersion == nil && machine.isInitial)
        let whole = machine.received(resourceVersion: "9", endsInitialEvents: true, now: Self.at(0))
        #expect(whole && machine.hasSynced && machine.resourceVersion == "9" && !machine.isInitial)
        #expect(machine.next(now: Self.at(1)) == nil)
    }

    @Test("streaming lists that never become whole are given up for pages", arguments: [true, false])
    func brokenStreams(isCut: Bool) throws {
        var machine = InformerMachine(seed: 1)
        for round in 0..<3 {
            let now = Self.at(Double(round) * 60)
            #expect(Self.watch(machine.next(now: now))?.resourceVersion == nil)
            if isCut {
                machine.opened(now: now)
                _ = machine.received(resourceVersion: "3", endsInitialEvents: false, now: now)
                machine.ended(.finished, now: now + .seconds(10))
            } else {
                machine.failed(Self.refusal(500), now: now)
            }
        }
        #expect(machine.next(now: Self.at(300)) == .list(continueToken: nil, limit: 500))
    }

    @Test("a server that does not know streaming lists is not asked for one again", arguments: [400, 422])
    func fallback(code: Int) throws {
        var machine = InformerMachine(seed: 1)
        _ = machine.next(now: Self.at(0))
        machine.failed(Self.refusal(code), now: Self.at(0))
        #expect(machine.next(now: Self.at(0)) == .list(continueToken: nil, limit: 500))
        let isWhole = machine.listed(continueToken: nil, resourceVersion: "5")
        #expect(isWhole)
        #expect(Self.watch(machine.next(now: Self.at(0)))?.resourceVersion == "5")
        machine.opened(now: Self.at(0))
        machine.failed(Self.refusal(410, "Expired"), now: Self.at(9))
        #expect(machine.next(now: Self.at(9)) == .list(continueToken: nil, limit: 500))
    }

    @Test("a server that ignores the parameters and never says where its initial events end is listed")
    func silentInitialEvents() {
        var machine = InformerMachine(seed: 1)
        _ = machine.next(now: Self.at(0))
        machine.opened(now: Self.at(0))
        _ = machine.received(resourceVersion: "3", endsInitialEvents: false, now: Self.at(1))
        #expect(machine.next(now: Self.at(20)) == nil)
        #expect(machine.next(now: Self.at(21)) == .cancel)
        #expect(machine.next(now: Self.at(21)) == .list(continueToken: nil, limit: 500))
    }

    @Test("pages follow each other; an expired token begins again, the second time without pages")
    func pages() {
        var machine = InformerMachine(streamsLists: false, seed: 1)
        #expect(machine.next(now: Self.at(0)) == .list(continueToken: nil, limit: 500))
        #expect(machine.next(now: Self.at(0)) == nil && machine.deadline == nil)
        var isWhole = machine.listed(continueToken: "a", resourceVersion: "5")
        #expect(!isWhole && machine.next(now: Self.at(0)) == .list(continueToken: "a", limit: 500))
        machine.failed(Self.refusal(410, "Expired"), now: Self.at(0))
        #expect(machine.next(now: Self.at(0)) == .list(continueToken: nil, limit: 500))
        isWhole = machine.listed(continueToken: "b", resourceVersion: "6")
        #expect(machine.next(now: Self.at(0)) == .list(continueToken: "b", limit: 500))
        machine.failed(Self.refusal(400, "BadRequest"), now: Self.at(0))
        #expect(machine.next(now: Self.at(0)) == .list(continueToken: nil, limit: nil))
        isWhole = machine.listed(continueToken: "", resourceVersion: "8")
        #expect(isWhole && machine.resourceVersion == "8" && machine.restarts.isEmpty)
    }

    @Test("a watch that ends in order goes on from the last version, bookmarks included")
    func resume() throws {
        var machine = try Self.watching()
        _ = machine.received(resourceVersion: "8", endsInitialEvents: false, now: Self.at(1))
        machine.ended(.finished, now: Self.at(400))
        let next = try #require(Self.watch(machine.next(now: Self.at(400))))
        #expect(next.resourceVersion == "8" && !next.isFresh)
        #expect(machine.restarts == [.eof: 1] && machine.problem == nil)
    }

    @Test("watches that end at once are opened again with growing pauses of at most a second")
    func quickEnds() throws {
        var machine = try Self.watching()
        var now = Self.at(0)
        var pauses: [Duration] = []
        for _ in 0..<12 {
            machine.ended(.finished, now: now)
            let due = try #require(machine.deadline)
            pauses.append(due - now)
            #expect(machine.next(now: due + .nanoseconds(-1)) == nil)
            now = due
            #expect(Self.watch(machine.next(now: now)) != nil)
            machine.opened(now: now)
        }
        #expect(pauses[0] <= .milliseconds(20) && pauses[11] >= .milliseconds(600) && pauses[11] <= .seconds(1))
    }

    @Test("too old a version lists anew at once, as a status and as an event; again and again with back-off")
    func expired() throws {
        var machine = try Self.watching(streams: false)
        machine.failed(Self.refusal(410, "Expired"), now: Self.at(5))
        #expect(machine.next(now: Self.at(5)) == .list(continueToken: nil, limit: 500))
        _ = machine.listed(continueToken: nil, resourceVersion: "20")
        #expect(Self.watch(machine.next(now: Self.at(5)))?.resourceVersion == "20")
        machine.failed(Self.refusal(410, "Expired"), now: Self.at(5))
        #expect(machine.next(now: Self.at(5)) == nil)
        #expect(machine.next(now: Self.at(7)) == .list(continueToken: nil, limit: 500))
        #expect(machine.restarts == [.expired: 2] && machine.hasSynced)
    }

    @Test("failures are repeated after 0.8 s and more, up to 30 s, and Retry-After is obeyed")
    func backOff() throws {
        var machine = try Self.watching()
        var now = Self.at(0)
        var delays: [Duration] = []
        for _ in 0..<10 {
            machine.failed(Self.refusal(500), now: now)
            let due = try #require(machine.deadline)
            delays.append(due - now)
            now = due
            #expect(Self.watch(machine.next(now: now))?.resourceVersion == "7")
        }
        #expect(delays[0] >= .milliseconds(800) && delays[0] <= .milliseconds(1200))
        #expect(delays[1] >= .milliseconds(1600) && delays[1] <= .milliseconds(2400))
        #expect(delays[9] >= .seconds(20) && delays[9] <= .seconds(30))
        machine.failed(Self.refusal(429, retryAfter: .seconds(90)), now: now)
        #expect(machine.deadline == now + .seconds(90))
        #expect(machine.problem == .failing("because"))
    }

    @Test("a watch that lived makes up for earlier failures")
    func forgiving() throws {
        var machine = try Self.watching()
        for second in 1...5 {
            machine.failed(.transport(TransportError(.unreachable, "gone")), now: Self.at(Double(second) * 100))
            _ = machine.next(now: Self.at(Double(second) * 100 + 60))
        }
        machine.opened(now: Self.at(600))
        machine.ended(.failed(TransportError(.interrupted, "cut")), now: Self.at(700))
        let due = try #require(machine.deadline)
        #expect(due <= Self.at(701.2))
    }

    @Test("silence beyond the bookmarks' interval opens a fresh connection")
    func stall() throws {
        var machine = try Self.watching()
        _ = machine.received(resourceVersion: "8", endsInitialEvents: false, now: Self.at(60))
        #expect(machine.deadline == Self.at(210))
        #expect(machine.next(now: Self.at(209)) == nil)
        #expect(machine.next(now: Self.at(210)) == .cancel)
        let next = try #require(Self.watch(machine.next(now: Self.at(210))))
        #expect(next.resourceVersion == "8" && next.isFresh && machine.restarts == [.error: 1])
        #expect(machine.next(now: Self.at(269)) == nil)
        #expect(machine.next(now: Self.at(270)) == .cancel, "no head within a minute")
    }

    @Test("a consumer that is too slow lists anew, in pages where it was a streaming list")
    func tooSlow() throws {
        var machine = try Self.watching()
        machine.ended(.consumerTooSlow, now: Self.at(10))
        #expect(Self.watch(machine.next(now: Self.at(10)))?.resourceVersion == nil)
        machine.opened(now: Self.at(10))
        machine.ended(.consumerTooSlow, now: Self.at(11))
        #expect(machine.next(now: Self.at(11)) == .list(continueToken: nil, limit: 500))
        #expect(machine.hasSynced && machine.resourceVersion == "7")
    }

    @Test("what is not permitted is asked for again, but seldom")
    func denied() throws {
        var machine = InformerMachine(seed: 1)
        _ = machine.next(now: Self.at(0))
        machine.failed(Self.refusal(403, "Forbidden"), now: Self.at(0))
        #expect(machine.next(now: Self.at(0)) == .list(continueToken: nil, limit: 500))
        machine.failed(Self.refusal(403, "Forbidden"), now: Self.at(0))
        #expect(machine.problem == .denied(verb: "list", message: "because"))
        var due = try #require(machine.deadline)
        for _ in 0..<10 {
            _ = machine.next(now: due)
            machine.failed(Self.refusal(403, "Forbidden"), now: due)
            let next = try #require(machine.deadline)
            #expect(next >= due + .milliseconds(800))
            due = next
        }
        #expect(due >= Self.at(100))
        #expect(machine.next(now: due) == .list(continueToken: nil, limit: 500))
        _ = machine.listed(continueToken: nil, resourceVersion: "4")
        #expect(machine.problem == nil && machine.hasSynced)
    }

    @Test("an event that is none lists anew after a pause, because something may be missing")
    func malformed() throws {
        var machine = try Self.watching()
        machine.failed(.malformed("no event"), now: Self.at(1))
        #expect(machine.next(now: Self.at(1)) == nil)
        #expect(Self.watch(machine.next(now: Self.at(3)))?.resourceVersion == nil)
    }

    @Test("a server that ends each watch as expired, as soon as it has sent everything, is not asked all the time")
    func expiredAtOnce() throws {
        var machine = InformerMachine(seed: 1)
        var rounds = 0
        while rounds < 10, machine.next(now: Self.at(0)) != nil {
            machine.opened(now: Self.at(0))
            _ = machine.received(resourceVersion: "7", endsInitialEvents: false, now: Self.at(0))
            _ = machine.received(resourceVersion: "7", endsInitialEvents: true, now: Self.at(0))
            machine.failed(Self.refusal(410, "Expired"), now: Self.at(0))
            rounds += 1
        }
        #expect(rounds == 2)
    }

    @Test("what an ERROR event asks for is within reason", arguments: [("9223372036854775807", 3600), ("7", 7)])
    func askedPause(text: String, seconds: Int) throws {
        let body = "{\"code\":429,\"details\":{\"retryAfterSeconds\":\(text)}}"
        let status = try JSONDecoder().decode(WatchStatus.self, from: Data(body.utf8)).status
        #expect(status.retryAfter == .seconds(seconds))
    }
}
