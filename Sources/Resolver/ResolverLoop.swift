internal import Observability
internal import Platform

struct ResolverSettings: Sendable {
    var logger: Logger
    var servers: String?
    var timeout: Duration
    var tries: Int
}

/// The resolver's thread: made on it, gone with it. Waits for commands, for c-ares' sockets and timers, and for the next
/// lookup that is due.
final class ResolverLoop {
    /// Names looked up at once; the others wait their turn.
    private static let mostAtOnce = 64
    private static let longestWait = Duration.seconds(3600)
    private static let pauseWithoutMemory = Duration.milliseconds(100)

    private let settings: ResolverSettings
    private let mailbox: ResolverMailbox
    private var channel: DNSChannel?
    private var mustRenew = false
    private var entries: [Int: WatchedName] = [:]
    private var identifiers: [WatchKey: Int] = [:]
    private var nextIdentifier = 0
    private var due = DueList()
    private var underWay = 0
    private var random = SystemRandomNumberGenerator()

    init(_ settings: ResolverSettings, _ mailbox: ResolverMailbox) {
        (self.settings, self.mailbox) = (settings, mailbox)
    }

    func run() {
        while obeyCommands() {
            startLookups()
            let wait = due.next.map { max(.zero, min($0 - .now(), ResolverLoop.longestWait)) }
            let isFull = underWay >= ResolverLoop.mostAtOnce
            let most = isFull ? ResolverLoop.longestWait : wait ?? ResolverLoop.longestWait
            var polled = [PollEntry(mailbox.descriptor, read: true, write: false)] + (channel?.waits ?? [])
            do throws(Errno) {
                try pollReady(&polled, timeout: channel?.timeout(atMost: most) ?? most)
            } catch {
                // Want of memory: it passes, and names are needed for as long as the process lives.
                settings.logger.error("resolver cannot wait", ["error": "\(error)"])
                pause(for: ResolverLoop.pauseWithoutMemory)
                continue
            }
            take(channel?.process(polled.dropFirst()) ?? [])
        }
    }

    // MARK: Commands

    /// False when the resolver is gone.
    private func obeyCommands() -> Bool {
        for command in mailbox.takeAll() {
            switch command {
            case .watch(let key, let watcher): add(key, watcher)
            case .cancel(let state): remove(state)
            case .stop: return false
            }
        }
        return true
    }

    private func add(_ key: WatchKey, _ watcher: Watcher) {
        guard !watcher.state.isCancelled else { return }
        if let identifier = identifiers[key], let entry = entries[identifier] {
            entries[identifier]?.watchers.append(watcher)
            if entry.hasResult { watcher.onChange(entry.record.result) }
            return
        }
        let identifier = nextIdentifier
        nextIdentifier += 1
        identifiers[key] = identifier
        entries[identifier] = WatchedName(key, watcher)
        due.insert(identifier, at: .now())
    }

    private func remove(_ state: WatchState) {
        for (identifier, entry) in entries {
            guard let index = entry.watchers.firstIndex(where: { $0.state === state }) else { continue }
            entries[identifier]?.watchers.remove(at: index)
            if entry.watchers.count == 1 { forget(identifier, entry) }
            return
        }
    }

    private func forget(_ identifier: Int, _ entry: WatchedName) {
        // Answers still under way find no entry; what the due list holds of it is passed over.
        if entry.isUnderWay { underWay -= 1 }
        entries[identifier] = nil
        identifiers[entry.key] = nil
    }

    // MARK: Lookups

    private func startLookups() {
        renewChannel()
        guard let channel else { return }
        let now = MonotonicTime.now()
        while underWay < ResolverLoop.mostAtOnce, let identifier = due.pop(until: now) {
            guard var entry = entries[identifier], !entry.isUnderWay else { continue }
            let questions = entry.begin()
            entries[identifier] = entry
            underWay += 1
            for question in questions { channel.query(entry.key.name, question, tag: identifier) }
        }
    }

    /// Makes the channel, and makes it anew with what /etc/resolv.conf says now when no server had answered.
    private func renewChannel() {
        if mustRenew, settings.servers == nil, channel?.queriesUnderWay == 0 { channel = nil }
        mustRenew = mustRenew && channel != nil
        guard channel == nil else { return }
        do throws(ResolverError) {
            channel = try DNSChannel(servers: settings.servers, timeout: settings.timeout, tries: settings.tries)
        } catch {
            // Out of descriptors or memory: all that is due waits a little.
            settings.logger.error("DNS lookups are not possible", ["error": "\(error)"])
            due.postpone(until: .now() + .seconds(5))
        }
    }

    private func take(_ answers: [DNSChannel.Answer]) {
        for answer in answers {
            mustRenew = mustRenew || answer.isUnreachable
            guard var entry = entries[answer.tag], entry.isUnderWay else { continue }
            if entry.take(answer) { finish(answer.tag, &entry) }
            entries[answer.tag] = entry
        }
    }

    private func finish(_ identifier: Int, _ entry: inout WatchedName) {
        let before = entry.record.result
        let isFirst = !entry.hasResult
        let now = MonotonicTime.now()
        let (pause, result) = entry.finish(now: now, random: random.next())
        due.insert(identifier, at: now + pause)
        underWay -= 1
        let after = entry.record.result
        let watchers = entry.watchers.filter { !$0.state.isCancelled }
        for watcher in watchers { watcher.onLookup?(result) }
        guard isFirst || before.differs(from: after) else { return }
        report(entry.key.name, before, after)
        for watcher in watchers { watcher.onChange(after) }
    }

    private func report(_ name: String, _ before: ResolvedName, _ after: ResolvedName) {
        if let error = after.error, before.error != error {
            settings.logger.warning(
                "name cannot be resolved",
                [
                    "name": "\(name)", "error": "\(error)",
                    "addressesKept": LogValue(after.addresses.count + after.services.count),
                ])
        } else if before.error != nil, after.error == nil {
            settings.logger.info("name resolves again", ["name": "\(name)"])
        }
        if after.leftOut > 0, before.leftOut != after.leftOut {
            settings.logger.warning(
                "name has more addresses or SRV records than are used",
                ["name": "\(name)", "used": LogValue(NameRecord.most), "leftOut": LogValue(after.leftOut)])
        }
    }
}
