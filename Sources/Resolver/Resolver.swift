public import Observability
public import Platform

/// Watches DNS names by c-ares, on one thread of its own. Names are absolute: no search list, no hosts file, no multicast.
/// A lookup is repeated when the lowest TTL of its addresses ends; when one fails, the last good addresses stay.
/// Safe to use from any thread; ends its thread when it goes.
public final class Resolver: Sendable {
    public typealias Family = AddressFamilyPreference

    private let mailbox: ResolverMailbox

    /// - Parameters:
    ///   - logger: hears of names that cannot be resolved, and of those that can again.
    ///   - servers: `address:port`, separated by commas; nil for those of /etc/resolv.conf, read again when none answers.
    ///   - timeout: for the first answer of a server; later tries wait longer.
    ///   - tries: with each server.
    /// - Throws: EINVAL, with a line in the log, where `servers` cannot be read; the system's error where it has no thread
    ///   or descriptor left.
    public init(logger: Logger, servers: String? = nil, timeout: Duration = .seconds(2), tries: Int = 3) throws(Errno) {
        let settings = ResolverSettings(logger: logger, servers: servers, timeout: timeout, tries: tries)
        if servers != nil {
            do throws(ResolverError) {
                _ = try DNSChannel(servers: servers, timeout: timeout, tries: tries)
            } catch {
                logger.error("DNS servers cannot be used", ["error": "\(error)"])
                throw .invalidArgument
            }
        }
        let mailbox = try ResolverMailbox()
        self.mailbox = mailbox
        try Thread(named: "resolver") { ResolverLoop(settings, mailbox).run() }.detach()
    }

    deinit { mailbox.post(.stop) }

    /// Looks the name's addresses up and keeps doing so until the token goes.
    ///
    /// - Parameters:
    ///   - name: a DNS name, absolute, with or without its final dot.
    ///   - family: which addresses are used.
    ///   - refresh: pause after a failed lookup, give or take a fifth.
    ///   - respectsTTL: whether an answer is kept for as long as its TTL says, at least a second; else for `refresh`.
    ///   - onLookup: called on the resolver's thread after every lookup, before `onChange`.
    ///   - onChange: called on the resolver's thread, which it must not block, with the first result and then whenever
    ///     the addresses, the state or the error change.
    /// - Returns: what keeps the watch alive. When its `cancel()` returns, a call that had begun may still be running.
    public func watch(
        _ name: String, family: Family, refresh: Duration, respectsTTL: Bool = true,
        onLookup: (@Sendable (LookupResult) -> Void)? = nil, onChange: @escaping @Sendable (ResolvedName) -> Void
    ) -> WatchToken {
        watch(name, .addresses(family), refresh, respectsTTL, onLookup, onChange)
    }

    /// The same for the name's SRV records. Their targets are names of their own, which whoever wants them watches.
    public func watchServices(
        _ name: String, refresh: Duration, respectsTTL: Bool = true,
        onLookup: (@Sendable (LookupResult) -> Void)? = nil, onChange: @escaping @Sendable (ResolvedName) -> Void
    ) -> WatchToken {
        watch(name, .services, refresh, respectsTTL, onLookup, onChange)
    }

    private func watch(
        _ name: String, _ wanted: WatchKey.Wanted, _ refresh: Duration, _ respectsTTL: Bool,
        _ onLookup: (@Sendable (LookupResult) -> Void)?, _ onChange: @escaping @Sendable (ResolvedName) -> Void
    ) -> WatchToken {
        let token = WatchToken(mailbox)
        let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
        let key = WatchKey(name: bare.lowercased(), wanted: wanted, refresh: refresh, respectsTTL: respectsTTL)
        mailbox.post(.watch(key, Watcher(state: token.state, onChange: onChange, onLookup: onLookup)))
        return token
    }
}

/// Keeps a watch alive: cancel it, or let it go.
public final class WatchToken: Sendable {
    let state = WatchState()
    private let mailbox: ResolverMailbox

    init(_ mailbox: ResolverMailbox) { self.mailbox = mailbox }
    deinit { cancel() }

    /// Ends the watch. Harmless when repeated.
    public func cancel() {
        guard state.cancel() else { return }
        mailbox.post(.cancel(state))
    }
}
