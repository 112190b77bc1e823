internal import EngineModel
internal import Observability

/// Tells another output of connections that ended, beside their lines. Belongs to the writer's thread.
final class AccessEvents {
    private let output: any ClosedConnectionOutput
    private var fields = LineBuffer(capacity: AccessEntry.longestJSON)
    /// Notes of ends that workers had no room for, as of the last turn.
    private var missed: UInt64 = 0

    init(_ output: any ClosedConnectionOutput) { self.output = output }

    func tell(_ entry: AccessEntry) {
        fields.removeAll()
        entry.writeJSON(to: &fields)
        var object = fields.bytes
        if object.last == UInt8(ascii: "\n") { object = UnsafeRawBufferPointer(rebasing: object.dropLast()) }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        output.take(
            ClosedConnection(
                id: entry.record.pointee.id, endedAt: entry.startTime + entry.duration,
                gateway: entry.name(.gateway) ?? none, routeKind: entry.name(.routeKind) ?? none,
                route: entry.name(.route) ?? none, fields: object))
    }

    func endTurn(missed now: UInt64) {
        if now != missed { output.miss(now &- missed) }
        missed = now
        output.endTurn()
    }
}

/// Writes no line: where there is no log but events are told.
final class NoOutput: AccessOutput {
    func write(_ bytes: UnsafeRawBufferPointer, _ logger: Logger) -> Int { 0 }
    func reopenSoon() -> Bool { false }
    func reopenIfAsked(_ logger: Logger) {}
}
