/// What `sluice top` was asked to do.
public struct TopOptions: Sendable, Hashable {
    public var target: RemoteOptions.Target
    public var interval: Duration
    var view: TopView
}

enum TopFlags {
    static let interval = Flag<Duration>.duration(
        "interval", in: .milliseconds(200)...(.seconds(3600)), help: "How often the numbers are asked for.",
        default: "2s")
    static let view = Flag<TopView>(
        "view", TopView.names.joined(separator: "|"), help: "What is shown at first.",
        allowed: TopView.names.joined(separator: ", "), choices: TopView.names, absent: .routes, fallback: "routes",
        parse: { TopView.named($0) })
}

extension TopView {
    fileprivate static var names: [String] { allCases.map { $0.title.lowercased() } }
}

extension CommandDescription {
    static let top = CommandDescription(
        name: "top", summary: "Show what a running gateway carries, live, in the terminal",
        details: """
            Shows tables of listeners, routes, backends and connections of a running gateway, with rates, as they change. Keys:
            1-4 or the arrows choose the table, s and S the column to sort by, r turns the order around, / filters, Up, Down,
            PgUp and PgDn scroll, q ends it. Lines in red have something wrong. Needs a terminal; for scripts there is
            sluice status -o json.
            """,
        examples: [
            ("the gateway on this host", "sluice top"),
            ("a pod's, beginning with its backends", "sluice top --pod sluice-system/sluice-0 --view backends"),
        ],
        flags: RemoteFlags.target + [TopFlags.interval.description, TopFlags.view.description])
}

extension TopOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        target = try RemoteOptions.Target(arguments, command: "top")
        interval = arguments.value(TopFlags.interval)
        view = arguments.value(TopFlags.view)
    }
}
