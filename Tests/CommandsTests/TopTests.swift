import Inspection
import Platform
import TestSupport
import Testing

@testable import Commands

@Suite("top")
struct TopTests {
    // MARK: Keys

    @Test("keys are read as terminals send them, several at once too, and what is not known says nothing")
    func keys() {
        #expect(TopKey.keys(Array("q2/".utf8)) == [.character("q"), .character("2"), .character("/")])
        #expect(
            TopKey.keys([0x1b, 0x5b, 0x41, 0x1b, 0x4f, 0x42, 0x0d, 0x7f, 0x09]) == [
                .up, .down, .enter, .backspace, .tab,
            ])
        #expect(
            TopKey.keys(Array("\u{1b}[5~\u{1b}[6~\u{1b}[H\u{1b}[4~\u{1b}[C\u{1b}[D".utf8)) == [
                .pageUp, .pageDown, .home, .end, .right, .left,
            ])
        #expect(TopKey.keys([0x1b]) == [.escape])
        #expect(TopKey.keys([0x03]) == [.interrupt])
        #expect(TopKey.keys(Array("é".utf8)) == [.character("é")])
        #expect(TopKey.keys(Array("\u{1b}[24~".utf8) + [0x00, 0xff]) == [])
    }

    // MARK: Looks

    private func look(at time: Int64, opened: [String: UInt64], bytes: UInt64 = 0, startedAt: Int64 = 5) -> TopLook {
        var tree = StatusTree()
        (tree.version, tree.source, tree.sourceDetail) = ("1.2.3", "manifests", "/etc/sluice")
        (tree.time, tree.startedAt, tree.generation) = (time, startedAt, 7)
        tree.routes = opened.sorted { $0.key < $1.key }.map { name, count in
            var route = RouteNode(kind: "TCPRoute", namespace: "infra", name: name)
            var traffic = RouteTrafficNode()
            (traffic.opened, traffic.active) = (count, count / 10)
            traffic.closed = ["client_closed": count / 2, "connect_refused": count / 4]
            (traffic.responseBytes, traffic.setups) = (bytes, count)
            traffic.setupNanoseconds = count * 2_000_000
            route.traffic = traffic
            return route
        }
        var total = LiveTraffic.Sample()
        (total.accepted, total.active) = (opened.values.reduce(0, +), 3)
        return TopLook(tree: tree, total: total)
    }

    private func cells(_ table: TopTable, _ title: String) -> [String] {
        let index = table.columns.firstIndex { $0.title == title } ?? 0
        return table.rows.map { $0.cells[index].text }
    }

    @Test("rates are differences by the gateway's own clock; without a look before, or after a restart, there are none")
    func rates() {
        let (first, second) = (look(at: 10_000, opened: ["a": 100]), look(at: 12_000, opened: ["a": 140], bytes: 4096))
        let table = TopRates(second, since: first).table(.routes)
        #expect(cells(table, "ROUTE") == ["TCPRoute infra/a"])
        #expect(cells(table, "NEW/S") == ["20.0"])
        #expect(cells(table, "FAILED/S") == ["5.0"])
        #expect(cells(table, "OUT/S") == ["2.0K"])
        #expect(cells(table, "SETUP") == ["2.0ms"])
        #expect(cells(table, "ACTIVE") == ["14"])
        #expect(cells(TopRates(second, since: nil).table(.routes), "NEW/S") == ["-"])
        let anew = look(at: 14_000, opened: ["a": 10], startedAt: 13)
        #expect(cells(TopRates(anew, since: second).table(.routes), "NEW/S") == ["-"])
        // A route that was not there before began with nothing.
        let more = look(at: 14_000, opened: ["a": 140, "b": 10], bytes: 4096)
        #expect(cells(TopRates(more, since: second).table(.routes), "NEW/S") == ["0", "5.0"])
    }

    @Test("what is wrong is said in place of ok, and marks the row")
    func problems() {
        var now = look(at: 1000, opened: [:])
        var backend = BackendNode(kind: "Service", namespace: "infra", name: "db", port: 5432)
        backend.endpoints = [
            EndpointNode(address: "10.0.0.1:5432", state: "unhealthy"),
            EndpointNode(address: "10.0.0.2:5432", state: "healthy"),
        ]
        var gone = BackendNode(kind: "Backend", namespace: "infra", name: "old", port: 0)
        gone.endpoints = [EndpointNode(address: "10.0.0.3:1", state: "ejected")]
        now.tree.backends = [backend, gone]
        var gateway = GatewayNode(namespace: "infra", name: "edge")
        var listener = ListenerNode(name: "db", port: 5432, mode: "TCP")
        listener.bindings = [BindingNode(address: "*:5432", isBound: false, problem: "address in use")]
        gateway.listeners = [listener]
        now.tree.gateways = [gateway]
        let backends = TopRates(now, since: nil).table(.backends)
        #expect(cells(backends, "BACKEND") == ["Service infra/db:5432", "Backend infra/old"])
        #expect(cells(backends, "UP") == ["1/2", "0/1"])
        #expect(cells(backends, "STATE") == ["ok", "none healthy"])
        #expect(backends.rows.map(\.isProblem) == [true, true])
        let listeners = TopRates(now, since: nil).table(.listeners)
        #expect(cells(listeners, "LISTENER") == ["infra/edge/db"])
        #expect(cells(listeners, "STATE") == ["address in use"])
    }

    @Test("rates of the whole process are those between its own samples")
    func totals() {
        var now = look(at: 10_000, opened: ["a": 100])
        (now.total.time, now.total.accepted) = (9_900, 130)
        #expect(TopRates(now, since: nil).total(\.accepted) == nil)
        now.earlierTotal = now.total
        #expect(TopRates(now, since: nil).total(\.accepted) == nil)
        now.earlierTotal?.time = 7_900
        now.earlierTotal?.accepted = 100
        #expect(TopRates(now, since: nil).total(\.accepted) == 15)
        let screen = TopScreen(rates: TopRates(now, since: nil), address: "a")
        var state = TopState()
        #expect(
            screen.lines(&state, .init(columns: 100, rows: 10))[1].hasPrefix(
                "3 connections  15.0/s new  0/s failed  in 0/s  out 0/s"))
    }

    // MARK: Tables

    private let table = TopTable(
        columns: [.init(title: "NAME", isNumber: false), .init(title: "COUNT", isNumber: true)],
        rows: [("b", 2.0), ("a", 10.0), ("c", 2.0)].map {
            .init(id: $0.0, cells: [.text($0.0), .rate($0.1)])
        } + [.init(id: "d", cells: [.text("d"), .rate(nil)])])

    @Test("numbers are sorted from the greatest, texts from the first; what has no number comes last; ties by name")
    func sorting() {
        #expect(table.sorted(by: 1, reversed: false).rows.map(\.id) == ["a", "b", "c", "d"])
        #expect(table.sorted(by: 1, reversed: true).rows.map(\.id) == ["d", "b", "c", "a"])
        #expect(table.sorted(by: 0, reversed: false).rows.map(\.id) == ["a", "b", "c", "d"])
        #expect(table.sorted(by: 0, reversed: true).rows.map(\.id) == ["d", "c", "b", "a"])
        #expect(table.sorted(by: 9, reversed: false) == table)
    }

    @Test("a filter keeps rows with the text in any cell")
    func filtering() {
        #expect(table.filtered("B").rows.map(\.id) == ["b"])
        #expect(table.filtered("10").rows.map(\.id) == ["a"])
        #expect(table.filtered("").rows.count == 4)
        #expect(table.filtered("nothing").rows.isEmpty)
    }

    @Test("numbers are short")
    func numbers() {
        #expect(
            [0, 0.4, 12.34, 480, 12_000, 25_000_000].map(shortNumber) == ["0", "0.4", "12.3", "480", "12.0k", "25.0M"])
        #expect([0, 512, 1536, 20_971_520].map(shortBytes) == ["0", "512B", "1.5K", "20.0M"])
        #expect(
            [0.2, 999.96, 2500, 300_000, 10_800_000, 864_000_000].map(shortTime) == [
                "0.2ms", "1.0s", "2.5s", "5m", "3h", "10d",
            ])
    }

    // MARK: State

    private func press(_ state: inout TopState, _ keys: TopKey...) -> [TopState.Action] {
        keys.map { state.press($0, page: 10, columns: table.columns) }
    }

    @Test("views by number and arrows, each with its own order")
    func views() {
        var state = TopState(view: .routes)
        #expect(press(&state, .character("4")) == [.redraw])
        #expect(state.view == .connections)
        _ = press(&state, .right)
        #expect(state.view == .listeners)
        _ = press(&state, .left, .left)
        #expect(state.view == .backends)
        #expect(state.order(table.columns) == .init(column: 0))
        _ = press(&state, .character("s"))
        #expect(state.order(table.columns) == .init(column: 1))
        _ = press(&state, .character("r"))
        #expect(state.order(table.columns) == .init(column: 1, isReversed: true))
        _ = press(&state, .character("1"))
        #expect(state.order(table.columns) == .init(column: 0))
        _ = press(&state, .character("3"))
        #expect(state.order(table.columns) == .init(column: 1, isReversed: true))
        _ = press(&state, .character("s"))
        #expect(state.order(table.columns) == .init(column: 0))
    }

    @Test("a filter is typed, kept by Enter and dropped by Escape; q is a letter meanwhile, Ctrl-C is not")
    func typing() {
        var state = TopState()
        _ = press(&state, .character("/"), .character("q"), .character("x"), .backspace)
        #expect(state.filter == "q" && state.isTyping)
        _ = press(&state, .enter)
        #expect(state.filter == "q" && !state.isTyping)
        _ = press(&state, .escape)
        #expect(state.filter == "")
        _ = press(&state, .character("/"), .character("z"))
        #expect(press(&state, .interrupt) == [.quit])
        _ = press(&state, .escape)
        #expect(state.filter == "" && !state.isTyping)
        #expect(press(&state, .character("q")) == [.quit])
    }

    // MARK: Pictures

    private func plain(_ lines: [String]) -> [String] {
        lines.map { line in
            var (text, isEscape) = ("", false)
            for character in line {
                if character == "\u{1b}" {
                    isEscape = true
                } else if !isEscape {
                    text.append(character)
                } else if character == "m" {
                    isEscape = false
                }
            }
            return text
        }
    }

    @Test("a picture has the terminal's size, whatever that is, and the rows from the offset on")
    func pictures() {
        let routes = Dictionary(uniqueKeysWithValues: (10..<60).map { ("route-\($0)", UInt64($0) * 100) })
        let now = look(at: 2000, opened: routes)
        let screen = TopScreen(rates: TopRates(now, since: nil), address: "127.0.0.1:19000")
        for (columns, rows) in [(120, 30), (80, 24), (40, 10), (10, 3), (1, 1)] {
            var state = TopState()
            let lines = plain(screen.lines(&state, .init(columns: columns, rows: rows)))
            #expect(lines.count == rows)
            #expect(lines.allSatisfy { $0.count <= columns }, "\(columns): \(lines)")
        }
        var state = TopState()
        var lines = plain(screen.lines(&state, .init(columns: 100, rows: 15)))
        #expect(lines[0].hasPrefix("sluice 1.2.3 at 127.0.0.1:19000  manifests /etc/sluice  generation 7"))
        #expect(lines[1].hasPrefix("3 connections"))
        #expect(lines[2].contains("[2 Routes]") && lines[2].contains("1-10 of 50"))
        #expect(lines[3].hasPrefix("ROUTE") && lines[3].contains("ACTIVEv"))
        #expect(lines[4].hasPrefix("TCPRoute infra/route-59"))
        #expect(lines[14].contains("q quit"))
        _ = state.press(.end, page: 10, columns: [])
        lines = plain(screen.lines(&state, .init(columns: 100, rows: 15)))
        #expect(lines[2].contains("41-50 of 50"))
        #expect(lines[13].hasPrefix("TCPRoute infra/route-10"))
        #expect(state.offset == 40)
    }

    @Test("what others have named cannot make a terminal obey")
    func control() {
        var now = look(at: 2000, opened: ["a\u{1b}[2J\u{9b}31m": 1])
        now.tree.sourceDetail = "x\u{7}\ny"
        var state = TopState()
        let screen = TopScreen(rates: TopRates(now, since: nil), address: "a", problem: "\u{1b}]0;title\u{7}")
        let lines = screen.lines(&state, .init(columns: 100, rows: 10))
        for line in lines {
            let rest = ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[7m", "\u{1b}[31m", "\u{1b}[0m"].reduce(line) {
                $0.replacing($1, with: "")
            }
            #expect(
                rest.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) },
                "\(line.debugDescription)")
        }
    }

    // MARK: Feed

    private final class Source: TopSource {
        let looks = Locked((count: 0, withConnections: false, fails: false))
        func look(withConnections: Bool) throws(StartFailure) -> TopLook {
            let (count, fails) = looks.withLock { looks in
                looks.count += 1
                looks.withConnections = withConnections
                return (looks.count, looks.fails)
            }
            if fails { throw StartFailure("nobody answers") }
            var look = TopLook(tree: StatusTree(), total: .init())
            look.tree.generation = UInt64(count)
            return look
        }
    }

    @Test("the feed keeps the look before, says what failed and keeps what it had, and looks at connections at once")
    func feed() throws {
        let source = Source()
        let feed = try TopFeed(source, first: try source.look(withConnections: false), every: .milliseconds(20))
        try feed.start()
        defer { feed.stop() }
        #expect(waitUntil { feed.news.now.tree.generation >= 3 })
        let news = feed.news
        #expect(news.before?.tree.generation == news.now.tree.generation - 1)
        source.looks.withLock { $0.fails = true }
        #expect(waitUntil { feed.news.problem == "nobody answers" })
        #expect(feed.news.now.tree.generation >= 3)
        source.looks.withLock { $0.fails = false }
        #expect(waitUntil { feed.news.problem == nil })
        feed.want(connections: true)
        #expect(waitUntil { source.looks.withLock { $0.withConnections } })
    }
}
