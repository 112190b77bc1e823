internal import CCares
internal import Platform
internal import Primitives

/// One c-ares channel: its sockets and the queries under way. Belongs to the thread that made it. Answers are collected
/// and taken by the owner afterwards, because c-ares calls back from inside its own functions.
final class DNSChannel {
    /// An answer to the query that carried `tag`.
    struct Answer {
        var tag: Int
        var isIPv6: Bool
        var answer: FamilyAnswer
        /// No server answered at all: the channel's servers may be out of date.
        var isUnreachable: Bool
    }

    private var channel: ares_channel?
    private var sockets: [Int32: (read: Bool, write: Bool)] = [:]
    private var answers: [Answer] = []
    private(set) var queriesUnderWay = 0

    private static let isStarted = sluice_ares_start() == 0

    /// - Parameters:
    ///   - servers: `address:port`, separated by commas; nil for /etc/resolv.conf.
    ///   - timeout: of the first try; later ones wait longer.
    ///   - tries: with each server.
    /// - Throws: ``ResolverError`` where `servers` cannot be read, or c-ares has no memory left.
    init(servers: String?, timeout: Duration, tries: Int) throws(ResolverError) {
        guard DNSChannel.isStarted else { throw ResolverError("c-ares cannot be initialised") }
        let status = sluice_ares_open(
            &channel, servers, Int32(clamping: max(1, timeout.wholeMilliseconds)), Int32(clamping: max(1, tries)),
            { data, socket, readable, writable in
                guard let data else { return }
                Unmanaged<DNSChannel>.fromOpaque(data).takeUnretainedValue()
                    .note(socket, read: readable != 0, write: writable != 0)
            }, Unmanaged.passUnretained(self).toOpaque())
        guard status == 0 else {
            channel = nil
            throw ResolverError("c-ares: \(DNSChannel.sentence(-status))" + (servers.map { " (servers \($0))" } ?? ""))
        }
    }

    deinit {
        if let channel { ares_destroy(channel) }
    }

    private func note(_ socket: Int32, read: Bool, write: Bool) {
        sockets[socket] = read || write ? (read, write) : nil
    }

    /// Asks for one family of an absolute name.
    func query(_ name: String, ipv6: Bool, tag: Int) {
        guard let channel else { return }
        queriesUnderWay += 1
        let query = Query(channel: self, tag: tag, isIPv6: ipv6)
        // The final dot makes the name absolute.
        sluice_ares_query(
            channel, name + ".", ipv6 ? 1 : 0,
            { data, status, _, bytes, length in
                guard let data else { return }
                let query = Unmanaged<Query>.fromOpaque(data).takeRetainedValue()
                query.channel?.finish(query, status: status, bytes, length)
            }, Unmanaged.passRetained(query).toOpaque())
    }

    /// What to wait for beside the owner's own descriptors.
    var waits: [PollEntry] { sockets.map { PollEntry($0.key, read: $0.value.read, write: $0.value.write) } }

    /// How long the owner may wait.
    func timeout(atMost most: Duration) -> Duration {
        // A name that cannot be asked for is answered from inside the query.
        guard answers.isEmpty else { return .zero }
        guard let channel, queriesUnderWay > 0 else { return most }
        return .milliseconds(Int(sluice_ares_timeout(channel, Int32(clamping: most.wholeMilliseconds))))
    }

    /// Reads, writes and times out; returns the answers that are complete.
    func process(_ entries: some Sequence<PollEntry>) -> [Answer] {
        guard let channel else { return [] }
        for entry in entries where entry.isReadable || entry.isWritable {
            let none: Int32 = -1
            sluice_ares_process(
                channel, entry.isReadable ? entry.descriptor : none, entry.isWritable ? entry.descriptor : none)
        }
        sluice_ares_process_timeouts(channel)
        defer { answers = [] }
        return answers
    }

    private func finish(_ query: Query, status: Int32, _ bytes: UnsafeMutablePointer<UInt8>?, _ length: Int32) {
        queriesUnderWay -= 1
        let unreachable = [ARES_ETIMEOUT, ARES_ECONNREFUSED].contains(status)
        answers.append(
            Answer(
                tag: query.tag, isIPv6: query.isIPv6,
                answer: DNSChannel.read(status: status, bytes, length, isIPv6: query.isIPv6),
                isUnreachable: unreachable))
    }

    /// What c-ares keeps while a query is under way.
    private final class Query {
        weak var channel: DNSChannel?
        let tag: Int
        let isIPv6: Bool
        init(channel: DNSChannel, tag: Int, isIPv6: Bool) {
            (self.channel, self.tag, self.isIPv6) = (channel, tag, isIPv6)
        }
    }
}

extension DNSChannel {
    private static let mostAddresses = 256

    private static func read(
        status: Int32, _ bytes: UnsafeMutablePointer<UInt8>?, _ length: Int32, isIPv6: Bool
    ) -> FamilyAnswer {
        guard status == 0, let bytes else { return failure(status) }
        var ttls = [Int32](repeating: 0, count: mostAddresses)
        var raw = [UInt8](repeating: 0, count: mostAddresses * 16)
        var words = [UInt32](repeating: 0, count: mostAddresses)
        let count =
            isIPv6
            ? sluice_ares_parse_v6(bytes, length, &raw, &ttls, Int32(mostAddresses))
            : sluice_ares_parse_v4(bytes, length, &words, &ttls, Int32(mostAddresses))
        guard count > 0 else { return failure(count == 0 ? ARES_ENODATA : -count) }
        let addresses = (0..<Int(count)).map { index -> IPAddress in
            guard isIPv6 else { return .v4(words[index]) }
            let halves = [0, 8].map { start in
                raw[(16 * index + start)..<(16 * index + start + 8)].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            }
            return .v6(high: halves[0], low: halves[1])
        }
        return .addresses(addresses, ttl: Int(max(0, ttls[..<Int(count)].min() ?? 0)))
    }

    private static func failure(_ status: Int32) -> FamilyAnswer {
        switch status {
        case ARES_ENODATA: .none("the name has no address of the wanted kind")
        case ARES_ENOTFOUND: .none("the name does not exist")
        // c-ares says so when every server refused, failed (SERVFAIL) or could not be reached.
        case ARES_ECONNREFUSED: .failed("no DNS server gave a usable answer")
        case ARES_ETIMEOUT: .failed("no DNS server answered in time")
        default: .failed(sentence(status))
        }
    }

    private static func sentence(_ status: Int32) -> String { String(cString: ares_strerror(status)) }
}

/// Why a channel cannot be made.
struct ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
