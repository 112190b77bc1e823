internal import EngineModel
internal import Platform

/// What connections had moved when somebody looked before, so that the next look can tell bytes per second. Only the admin
/// server's thread calls it.
final class ConnectionRates: Sendable {
    /// Bytes of one connection.
    struct Amounts: Sendable {
        var request: UInt64
        var response: UInt64
    }

    /// What one look saw.
    struct Look: Sendable {
        var time: MonotonicTime
        var amounts: [UInt64: Amounts] = [:]

        /// Remembers a connection, unless there are too many.
        mutating func note(_ info: ConnectionInfo) {
            guard amounts.count < ConnectionRates.limit else { return }
            amounts[info.id] = Amounts(request: info.requestBytes, response: info.responseBytes)
        }
    }

    /// Connections that are remembered; more would take a part of the process's memory that is worth a thought.
    static let limit = 100_000
    /// Looks that follow each other faster are compared with the one before them.
    private static let shortest = Duration.seconds(1)
    /// A rate since longer ago says nothing of now.
    private static let longest = Duration.seconds(60)

    private struct State {
        var latest: Look?
        var earlier: Look?
    }
    private let state = Locked(State())

    /// What a look at `now` is compared with.
    func reference(now: MonotonicTime) -> Look? {
        state.withLock { state in
            [state.latest, state.earlier].compactMap { $0 }
                .first { now - $0.time >= ConnectionRates.shortest && now - $0.time <= ConnectionRates.longest }
        }
    }

    /// Keeps a look for those that follow.
    func keep(_ look: Look) {
        state.withLock { state in
            if let latest = state.latest, look.time - latest.time < ConnectionRates.shortest { return }
            (state.earlier, state.latest) = (state.latest, look)
        }
    }
}

extension ConnectionRates.Look {
    /// Bytes per second each way from this look until `now`; of a connection that came later, since it was accepted. Nil:
    /// the look did not remember it.
    func rates(of info: ConnectionInfo, now: MonotonicTime) -> (request: UInt64, response: UInt64)? {
        let since = now - time
        let before = amounts[info.id]
        guard before != nil || info.age <= since else { return nil }
        let span = before == nil ? max(info.age, .milliseconds(100)) : since
        func rate(_ bytes: UInt64, _ earlier: UInt64) -> UInt64 {
            UInt64(Double(bytes >= earlier ? bytes - earlier : 0) / (span / .seconds(1)))
        }
        return (rate(info.requestBytes, before?.request ?? 0), rate(info.responseBytes, before?.response ?? 0))
    }
}
