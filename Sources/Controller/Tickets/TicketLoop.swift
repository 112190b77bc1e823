internal import EngineModel
internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform

/// The state of the thread `tickets`.
final class TicketLoop {
    struct Setup: Sendable {
        let source: TicketKeeper.Source
        let logger: Logger
        let clockFactor: Double
        let onChange: @Sendable (TicketKeyRing) -> Void
    }

    /// What the thread and others leave for each other.
    struct Inbox {
        var secret = WatchedSecret.unknown
        /// Of the longest-lived tickets; nil: there are none.
        var lifetime: Duration?
        var isNew = false
        var stopping = false
        /// Of the keys in use.
        var rotatedAt: Int64?
        /// There is no thread.
        var stopped = true
        /// What was handed over already. The thread takes it from here: what it is started with lives as long as it.
        var firstRing: TicketKeyRing?
    }

    private static let lookInterval = Duration.seconds(10)
    /// After what the leader wrote: its own watch may not have it yet.
    private static let writePause = Duration.seconds(5)

    private let setup: Setup
    private let inbox: Monitored<Inbox>
    private var acquaintance: TicketAcquaintance
    private var ring: TicketKeyRing?
    private var nextWrite = MonotonicTime.now()
    private var backOff = BackOff(seed: .random(in: 0 ... .max))
    private var failures = 0
    private var complaint: String?

    init(_ setup: Setup, inbox: Monitored<Inbox>) {
        (self.setup, self.inbox) = (setup, inbox)
        ring = inbox.update { inbox -> TicketKeyRing? in
            defer { inbox.firstRing = nil }
            return inbox.firstRing
        }
        acquaintance = TicketAcquaintance(delay: TicketAcquaintance.delay * setup.clockFactor)
    }

    func run() {
        var wake: MonotonicTime? = .now()
        while true {
            let seen: Inbox =
                inbox.wait(until: wake) { inbox in
                    guard inbox.isNew || inbox.stopping else { return nil }
                    inbox.isNew = false
                    return inbox
                } ?? inbox.update { $0 }
            if seen.stopping { return }
            switch setup.source {
            case .file(let path): wake = look(at: path)
            case .secret(let key, let marker, let server, let leadership):
                use(seen.secret, key)
                write(seen, leadership, TicketWriter(server: server, key: key, marker: marker))
                wake = wakeTime(seen, isLeader: leadership.isLeader)
            }
        }
    }

    // MARK: A file

    private func look(at path: String) -> MonotonicTime {
        do throws(TicketSecretProblem) {
            let file = try TicketKeyFile(reading: path)
            settle("ticket keys are read from the file again")
            hand(over: file.ring)
        } catch {
            complain("the file of ticket keys cannot be used, the last good keys stay", error.description, object: path)
        }
        return .now() + TicketLoop.lookInterval * setup.clockFactor
    }

    // MARK: A Secret

    private func use(_ secret: WatchedSecret, _ key: ObjectKey) {
        if case .present(let secret) = secret {
            do throws(TicketSecretProblem) {
                let keys = try TicketKeySet(secret)
                if keys != acquaintance.keys { acquaintance.take(keys, now: .now()) }
                inbox.update { $0.rotatedAt = keys.rotatedAt }
                settle("the Secret of ticket keys can be used again")
            } catch {
                complain(
                    "the Secret holds no ticket keys, the last good ones stay", error.description,
                    object: "Secret \(key)")
            }
        }
        if case .denied = secret {
            complain(
                "the Secret of ticket keys may not be watched: sessions resume only where they were made",
                "a right is missing", object: "Secret \(key)")
        }
        // What is absent leaves the last known keys in use: the leader makes others.
        if let ring = acquaintance.ring(now: .now()) { hand(over: ring) }
    }

    private func write(_ seen: Inbox, _ leadership: Leadership, _ writer: TicketWriter) {
        guard leadership.isLeader, isDue(seen), MonotonicTime.now() >= nextWrite, let lifetime = seen.lifetime else {
            return
        }
        do throws(APIError) {
            let isWritten = try writer.write(period: TicketKeySet.period(lifetime: lifetime)) { leadership.isLeader }
            if isWritten { setup.logger.info("keys of session tickets were rotated") }
            failures = 0
            nextWrite = .now() + TicketLoop.writePause * setup.clockFactor
        } catch {
            failures += 1
            nextWrite = .now() + max(backOff.wait(failures), .seconds(1)) * setup.clockFactor
            complain("keys of session tickets cannot be written", "\(error)", object: "Secret \(writer.key)")
        }
    }

    /// Whether there is something to write, as far as is known here.
    private func isDue(_ seen: Inbox) -> Bool {
        guard let lifetime = seen.lifetime else { return false }
        switch seen.secret {
        case .unknown, .denied: return false
        case .absent: return true
        case .present(let secret):
            guard let keys = try? TicketKeySet(secret) else { return true }
            return keys.isDue(at: wallSeconds(), period: TicketKeySet.period(lifetime: lifetime))
        }
    }

    /// The wall's clock decides about rotations, and may be set: it is looked at each minute.
    private func wakeTime(_ seen: Inbox, isLeader: Bool) -> MonotonicTime? {
        let now = MonotonicTime.now()
        var moments = [acquaintance.wakeTime(after: now)].compactMap { $0 }
        if isLeader, seen.lifetime != nil {
            moments.append(isDue(seen) ? max(nextWrite, now) : now + .seconds(60) * setup.clockFactor)
        }
        return moments.min()
    }

    // MARK: Both

    private func hand(over ring: TicketKeyRing) {
        guard ring != self.ring else { return }
        self.ring = ring
        setup.onChange(ring)
    }

    /// Each problem once.
    private func complain(_ message: String, _ problem: String, object: String) {
        guard complaint != problem else { return }
        complaint = problem
        setup.logger.warning(message, [LogKey.object: LogValue(object), LogKey.error: LogValue(problem)])
    }

    private func settle(_ message: String) {
        if complaint != nil { setup.logger.info(message) }
        complaint = nil
    }
}
