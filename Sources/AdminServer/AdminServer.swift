public import Observability
public import Primitives

/// `/config`, and `/`, which lists the paths. For an operator on this host or through `kubectl port-forward`: answers only
/// requests whose Host is a loopback name or address, or one of `hostNames` (a page elsewhere must not reach it by DNS
/// rebinding), and sends no CORS field.
public final class AdminServer: Sendable {
    private let server: HTTPServer

    /// Binds and serves. The closures run on the server's thread. `configuration`: what the engine runs, as JSON, keys
    /// left out. Bound to anything but loopback, it also answers under IP addresses. `routes`: further paths.
    public init(
        address: SocketAddress, hostNames: Set<String> = [], logger: Logger = .disabled, routes: [HTTPRoute] = [],
        configuration: @escaping @Sendable () -> String
    ) throws(ListenError) {
        let config = HTTPRoute("/config", "the configuration that the engine runs, keys left out") { _ in
            .json(configuration())
        }
        let pages = [config] + routes
        let width = pages.map(\.path.count).max() ?? 0
        let index = pages.map { page in
            "\(page.path)\(String(repeating: " ", count: width - page.path.count))  \(page.summary)\n"
        }
        let text = "sluice admin\n\n\(index.joined())"
        server = try HTTPServer(
            name: "admin", address: address, routes: pages + [HTTPRoute("/", "this list") { _ in .text(text) }],
            hosts: .loopback(names: hostNames, anyAddress: !address.ip.isLoopback), logger: logger)
    }

    /// Where it listens, with the kernel's choice for port 0.
    public var address: SocketAddress { server.address }

    /// See ``HTTPServer/stop()``.
    public func stop() { server.stop() }
}
