internal import EngineModel
internal import Platform

/// Makes lines of notes. Belongs to the writer's thread.
struct AccessLines: ~Copyable {
    private let formats: AccessFormats
    private let events: AccessEvents?
    /// Those that were met, by number.
    private var known: [AccessLogFormat?] = []
    private var buffer = LineBuffer(capacity: AccessLines.size)
    /// By worker.
    private var hellos: [HelloNotes] = []
    private var fingerprints = FingerprintCache()
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

    /// Adds the line of a worker's oldest note, and tells of the end that it is of. False: there is none.
    @inline(__always)
    mutating func take(from ring: AccessRing, worker: Int = 0) -> Bool {
        guard let note = ring.next else { return false }
        let record = note.assumingMemoryBound(to: AccessRecord.self)
        guard record.pointee.event != .hello else {
            keep(note, worker)
            ring.drop(Int(note.load(as: HelloNote.self).size))
            return true
        }
        let fingerprint =
            worker < hellos.count ? hellos[worker].text(of: record.pointee.id, slot: record.pointee.slot) : []
        let entry = AccessEntry(note, clockOffset, fingerprint: fingerprint)
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

    @inline(never)
    private mutating func keep(_ note: UnsafeRawPointer, _ worker: Int) {
        while hellos.count <= worker { hellos.append(HelloNotes()) }
        hellos[worker].take(note, &fingerprints)
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
