internal import EngineModel
internal import Platform

/// Makes lines of notes. Belongs to the writer's thread.
struct AccessLines: ~Copyable {
    private let formats: AccessFormats
    private let events: AccessEvents?
    /// Those that were met, by number.
    private var known: [AccessLogFormat?] = []
    private var buffer = LineBuffer(capacity: AccessLines.size)
    /// What makes monotonic nanoseconds those since 1970.
    private var clockOffset: Int64 = 0

    private static let size = 512 << 10
    /// More than all but strange templates can take.
    private static let longestLine = AccessEntry.longestJSON

    init(_ formats: AccessFormats, _ events: AccessEvents? = nil) { (self.formats, self.events) = (formats, events) }

    var bytes: UnsafeRawBufferPointer { buffer.bytes }
    var isEmpty: Bool { buffer.count == 0 }
    /// Whether there may be no room for another line.
    var isFull: Bool { buffer.count > AccessLines.size - AccessLines.longestLine }

    mutating func removeAll() { buffer.removeAll() }

    mutating func beginTurn() { clockOffset = realtimeNanoseconds() - MonotonicTime.now().nanoseconds }

    /// Adds the line of the oldest note, and tells of the end that it is of. False: there is none.
    @inline(__always)
    mutating func take(from ring: AccessRing) -> Bool {
        guard let note = ring.next else { return false }
        let entry = AccessEntry(note, clockOffset)
        if events != nil, !writesAfterTelling(entry) {
            // It is an event alone.
        } else if entry.record.pointee.format == AccessFormatID.json.index {
            entry.writeJSON(to: &buffer)
        } else {
            write(entry)
        }
        ring.drop(Int(entry.record.pointee.size))
        return true
    }

    /// Whether there is a line of it besides.
    @inline(never)
    private func writesAfterTelling(_ entry: AccessEntry) -> Bool {
        guard let events, entry.record.pointee.flags.contains(.isEvent) else { return true }
        events.tell(entry)
        return entry.record.pointee.flags.contains(.isLine)
    }

    @inline(never)
    private mutating func write(_ entry: AccessEntry) {
        switch format(entry.record.pointee.format) {
        case .json: return entry.writeJSON(to: &buffer)
        case .text(let template): entry.write(template, to: &buffer)
        case .haproxyTCP: entry.writeHAProxy(to: &buffer)
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    private mutating func format(_ index: UInt16) -> AccessLogFormat {
        while known.count <= Int(index) { known.append(nil) }
        if let format = known[Int(index)] { return format }
        let format = formats[index]
        known[Int(index)] = format
        return format
    }
}
