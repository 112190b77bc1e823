internal import Inspection
internal import Platform

/// `sluice top`.
public struct TopCommand: Sendable {
    private let options: TopOptions

    public init(options: TopOptions) { self.options = options }

    /// Draws until it is told to end; returns the exit code. Before any other thread was started.
    public func run() throws -> Int32 {
        guard StandardStream.input.isTerminal, StandardStream.output.isTerminal else {
            throw StartFailure("sluice top: there is no terminal; for scripts there is sluice status -o json")
        }
        let signals = try SignalDescriptor(TopLoop.signalNumbers)
        // Whoever ends this process is heard here: the terminal is to be as it was.
        let session = try RemoteSession(options.target, command: "top", signals: nil)
        defer { session.close() }
        let source = RemoteTopSource(session: session)
        let first = try source.look(withConnections: options.view == .connections)
        let feed = try TopFeed(source, first: first, every: options.interval)
        let terminal = try Terminal()
        try feed.start()
        defer { feed.stop() }
        return try TopLoop(feed, terminal, signals, address: session.address, view: options.view).run()
    }
}

/// A running gateway's admin address.
private struct RemoteTopSource: TopSource {
    let session: RemoteSession

    /// So many connections are shown at most.
    private static let mostConnections = 1000

    func look(withConnections: Bool) throws(StartFailure) -> TopLook {
        let tree = try session.get(StatusTree.self, "/status")
        let traffic = try session.get(LiveTraffic.self, "/traffic")
        var look = TopLook(tree: tree, total: traffic.total, earlierTotal: traffic.history.suffix(3).first)
        guard withConnections else { return look }
        let list = try session.get(
            ConnectionList.self, "/connections", [("limit", "\(RemoteTopSource.mostConnections)")])
        (look.connections, look.connectionCount) = (list.connections, list.total)
        return look
    }
}
