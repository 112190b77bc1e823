public import EngineModel
public import KubernetesAPI
public import KubernetesClient
public import Observability
internal import Platform

/// Sees to it that the engine has the keys of session tickets that other replicas have too: of a Secret, which the leader makes
/// and rotates, or of a file. It has a thread of its own, named `tickets`; this handle may be used from any.
public final class TicketKeeper: Sendable {
    /// Where keys come from that other replicas have too.
    public enum Source: Sendable {
        /// The file is looked at every 10 seconds.
        case file(String)
        /// A Secret, which ``take(_:)`` is told of. `server` is for the leader's writes. `marker`: the ConfigMap beside the
        /// Secret that owns it; nil: none does.
        case secret(ObjectKey, marker: String?, server: any APIServer, leadership: Leadership)
    }

    /// Of the Secret that belongs to an installation with a Lease of that name.
    public static func secretName(lease: String) -> String { "\(lease.prefix(240))-ticket-keys" }

    private let source: Source
    private let logger: Logger
    private let clockFactor: Double
    private let inbox = Monitored(TicketLoop.Inbox())

    /// `clockFactor` multiplies every delay: for tests.
    public init(_ source: Source, logger: Logger, clockFactor: Double = 1) {
        (self.source, self.logger, self.clockFactor) = (source, logger, clockFactor)
        if case .secret(_, _, _, let leadership) = source {
            let inbox = inbox
            leadership.onChange { inbox.update { $0.isNew = true } }
        }
    }

    /// Starts the thread; throws where a file cannot be used. `onChange` is called on the thread, and before this returns with the keys
    /// of a file, with the keys that the engine is to use from then on. Call once.
    public func start(onChange: @escaping @Sendable (TicketKeyRing) -> Void) throws {
        var ring: TicketKeyRing?
        if case .file(let path) = source {
            let first = try TicketKeyFile(reading: path).ring
            onChange(first)
            ring = first
        }
        let setup = TicketLoop.Setup(
            source: source, logger: logger, clockFactor: clockFactor, onChange: onChange)
        let inbox = inbox
        let handedOver = ring
        inbox.update { inbox in (inbox.stopped, inbox.firstRing) = (false, handedOver) }
        do throws(Errno) {
            try Thread(named: "tickets", wiping: true) {
                TicketLoop(setup, inbox: inbox).run()
                inbox.update { $0.stopped = true }
            }.detach()
        } catch {
            inbox.update { $0.stopped = true }
            throw error
        }
    }

    /// Keys are rotated as the longest-lived tickets of the configuration need it, and made once it has some.
    public func note(_ configuration: EngineConfiguration) {
        let lifetime = configuration.listeners.compactMap(\.ticketLifetime).max()
        inbox.update { inbox in
            guard inbox.lifetime != lifetime else { return }
            (inbox.lifetime, inbox.isNew) = (lifetime, true)
        }
    }

    /// What is known of the Secret.
    public func take(_ secret: WatchedSecret) {
        inbox.update { inbox in (inbox.secret, inbox.isNew) = (secret, true) }
    }

    /// Appends `sluice_tls_ticket_keys_rotated_timestamp_seconds` (docs/reference/metrics.md) where keys of a Secret are used.
    public func append(to output: inout PrometheusText) {
        guard let rotatedAt = inbox.update({ $0.rotatedAt }) else { return }
        output.single(.ticketKeysRotated, double: Double(rotatedAt))
    }

    /// Ends the thread, where it was started, and waits for it, at most a few seconds. The engine keeps its keys.
    public func stop() {
        inbox.update { $0.stopping = true }
        _ = inbox.wait { $0.stopped ? true : nil }
    }
}

extension ListenerConfiguration {
    fileprivate var ticketLifetime: Duration? {
        guard case .tls(let listener) = traffic, case .terminate(let termination) = listener.mode else { return nil }
        return termination.ticketLifetime
    }
}
