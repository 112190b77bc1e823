internal import EngineModel
internal import FoundationEssentials
internal import Observability
internal import Platform
internal import TestSupport
@testable internal import EventStream

extension EventStream {
    /// Connections with these numbers, which end in one turn.
    func end(_ ids: some Sequence<Int>, route: String = "infra/redis") {
        for id in ids { end(id: UInt64(id), route: route) }
        endTurn()
    }

    private func end(id: UInt64, route: String) {
        let parts = ["infra/edge", route.isEmpty ? "" : "TCPRoute", route, "{\"connection_id\":\"\(id)\"}"]
            .map { Array($0.utf8) }
        parts[0].withUnsafeBytes { gateway in
            parts[1].withUnsafeBytes { kind in
                parts[2].withUnsafeBytes { route in
                    parts[3].withUnsafeBytes { fields in
                        take(
                            ClosedConnection(
                                id: id, endedAt: 1_795_000_000_123_000_000, gateway: gateway, routeKind: kind,
                                route: route, fields: fields))
                    }
                }
            }
        }
    }

    /// Of one reason.
    func dropped(_ reason: EventQueue.DropReason) -> UInt64 { queue.counts.dropped[reason] ?? 0 }
}

/// What a receiver makes of an event.
struct Event: Decodable, Hashable {
    struct Fields: Decodable, Hashable { var connection_id: String }
    var specversion, type, source, id, time: String
    var subject: String?
    var datacontenttype: String
    var data: Fields

    static func batch(_ bytes: [UInt8]) throws -> [Event] { try JSONDecoder().decode([Event].self, from: Data(bytes)) }

    static func lines(_ path: String) throws -> [Event] {
        try readFile(path).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Event.self, from: Data($0))
        }
    }
}

/// A sink that does as it is told, and keeps what it was given.
final class ScriptedSink: EventSink {
    let name = "scripted"
    /// Numbers of connections, batch by batch.
    private let batches = Locked<[[Int]]>([])
    private let answer: @Sendable (_ batch: Int, _ ids: [Int]) -> Delivery

    init(_ answer: @escaping @Sendable (_ batch: Int, _ ids: [Int]) -> Delivery = { _, _ in .done }) {
        self.answer = answer
    }

    var seen: [[Int]] { batches.withLock { $0 } }

    func deliver(_ lines: [UInt8]) -> Delivery {
        let ids = ((try? Event.batch(HTTPSink.batch(lines))) ?? []).compactMap { Int($0.data.connection_id) }
        let number = batches.withLock { batches in
            batches.append(ids)
            return batches.count
        }
        return answer(number, ids)
    }

    func cancel() {}
}

func stream(
    _ sink: any EventSink, spool: String? = nil, size: Int = 16 << 20, log: MemoryLog = MemoryLog()
) throws -> EventStream {
    var settings = EventSettings(sink: .file(path: "/nowhere"))
    (settings.spool, settings.spoolSize) = (spool, size)
    return try EventStream(
        settings, sink: sink, logger: Logger(recordingTo: log),
        backoff: Backoff(first: .milliseconds(1), last: .milliseconds(5)))
}

extension MemoryLog {
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
