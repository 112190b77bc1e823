internal import EngineModel
internal import Platform

/// Makes lines of notes. Belongs to the writer's thread.
struct AccessLines: ~Copyable {
    private let formats: AccessFormats
    private let events: AccessEvents?
    /// Those that were met, by number.
    private var known: [AccessLogFormat?] = []
    private let note = UnsafeMutableRawPointer.allocate(byteCount: AccessRecord.most, alignment: 16)
    private var buffer = LineBuffer(capacity: AccessLines.size)
    /// What makes monotonic nanoseconds those since 1970.
    private var clockOffset: Int64 = 0

    private static let size = 512 << 10
    /// More than the longest line can take: each byte of a text becomes six at most.
    private static let longestLine = 8 * AccessRecord.most

    init(_ formats: AccessFormats, _ events: AccessEvents? = nil) { (self.formats, self.events) = (formats, events) }

    deinit { note.deallocate() }

    var bytes: UnsafeRawBufferPointer { buffer.bytes }
    var isEmpty: Bool { buffer.count == 0 }
    /// Whether there may be no room for another line.
    var isFull: Bool { buffer.count > AccessLines.size - AccessLines.longestLine }

    mutating func removeAll() { buffer.removeAll() }

    mutating func beginTurn() { clockOffset = realtimeNanoseconds() - MonotonicTime.now().nanoseconds }

    /// Adds the line of the oldest note, and tells of the end that it is of. False: there is none.
    mutating func take(from ring: AccessRing) -> Bool {
        guard ring.take(into: note) else { return false }
        let entry = AccessEntry(note, clockOffset)
        if let events, entry.record.pointee.flags.contains(.isEvent) {
            events.tell(entry)
            guard entry.record.pointee.flags.contains(.isLine) else { return true }
        }
        switch format(entry.record.pointee.format) {
        case .json: entry.writeJSON(to: &buffer)
        case .text(let template): entry.write(template, to: &buffer)
        case .haproxyTCP: entry.writeHAProxy(to: &buffer)
        }
        buffer.append(UInt8(ascii: "\n"))
        return true
    }

    private mutating func format(_ index: UInt16) -> AccessLogFormat {
        while known.count <= Int(index) { known.append(nil) }
        if let format = known[Int(index)] { return format }
        let format = formats[index]
        known[Int(index)] = format
        return format
    }
}
