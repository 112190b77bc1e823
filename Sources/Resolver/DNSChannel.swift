internal import CCares
internal import Platform
internal import Primitives

/// One c-ares channel: its sockets and the queries under way. Belongs to the thread that made it. Answers are collected
/// and taken by the owner afterwards, because c-ares calls back from inside its own functions.
final class DNSChannel {
    /// An answer to the query that carried `tag`.
    struct Answer {
        enum Content {
            case addresses(FamilyAnswer, isIPv6: Bool)
            case services(ServiceAnswer)
        }
        var tag: Int
        var content: Content
        var result: LookupResult
        /// No server answered at all: the channel's servers may be out of date.
        var isUnreachable: Bool
    }

    /// What is asked for, by the records' number.
    enum Question: Int32 {
        case ipv4 = 1
        case ipv6 = 28
        case services = 33
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

    /// Asks for records of an absolute name.
    func query(_ name: String, _ question: Question, tag: Int) {
        guard let channel else { return }
        queriesUnderWay += 1
        let query = Query(channel: self, tag: tag, question: question)
        // The final dot makes the name absolute.
        sluice_ares_query(
            channel, name + ".", question.rawValue,
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
        let message = status == 0 ? UnsafeBufferPointer(start: bytes, count: Int(length)) : nil
        let (content, result) = query.question.read(message, status: status)
        let unreachable = [SLUICE_ARES_ETIMEOUT, SLUICE_ARES_ECONNREFUSED].contains(status)
        answers.append(Answer(tag: query.tag, content: content, result: result, isUnreachable: unreachable))
    }

    /// What c-ares keeps while a query is under way.
    private final class Query {
        weak var channel: DNSChannel?
        let tag: Int
        let question: Question
        init(channel: DNSChannel, tag: Int, question: Question) {
            (self.channel, self.tag, self.question) = (channel, tag, question)
        }
    }
}

extension DNSChannel {
    static func sentence(_ status: Int32) -> String { String(cString: ares_strerror(status)) }
}

/// Why a channel cannot be made.
struct ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
