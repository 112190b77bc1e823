public import Observability
public import Primitives

/// `/config`, `/paths`, and what the caller adds. For an operator on this host or through `kubectl port-forward`: answers only
/// requests whose Host is a loopback name or address, or one of `hostNames` (a page elsewhere must not reach it by DNS
/// rebinding), none that another page's script or form sent, and sends no CORS field.
public final class AdminServer: Sendable {
    private let server: HTTPServer

    /// Binds and serves. The closures run on the server's thread. `configuration`: what the engine runs, as JSON, keys
    /// left out. Bound to anything but loopback, it also answers under IP addresses. `routes`: further paths; without `/`
    /// among them, that is the list of paths too. `inherited`: see ``HTTPServer``.
    public init(
        address: SocketAddress, inherited: Int32? = nil, hostNames: Set<String> = [], logger: Logger = .disabled,
        routes: [HTTPRoute] = [], configuration: @escaping @Sendable () -> String
    ) throws(ListenError) {
        let config = HTTPRoute("/config", "the configuration that the engine runs, keys left out") { _ in
            .json(configuration())
        }
        let pages = [config] + routes
        let text = AdminServer.index(pages)
        var all = pages + [HTTPRoute("/paths", "this list") { _ in .text(text) }]
        if !routes.contains(where: { $0.path == "/" }) { all.append(HTTPRoute("/", "this list") { _ in .text(text) }) }
        server = try HTTPServer(
            name: "admin", address: address, routes: all,
            hosts: .loopback(names: hostNames, anyAddress: !address.ip.isLoopback), logger: logger,
            inherited: inherited)
    }

    /// A line for each path.
    private static func index(_ pages: [HTTPRoute]) -> String {
        let rows = pages.map { page in ((page.method == .post ? "POST " : "") + page.path, page.summary) }
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.map { path, summary in
            "\(path)\(String(repeating: " ", count: width - path.count))  \(summary)\n"
        }
        return "sluice admin\n\n\(lines.joined())"
    }

    /// Where it listens, with the kernel's choice for port 0.
    public var address: SocketAddress { server.address }

    /// The listening socket. Closed by ``stop()``.
    public var listener: Int32 { server.listener }

    /// See ``HTTPServer/stop()``.
    public func stop() { server.stop() }
}
