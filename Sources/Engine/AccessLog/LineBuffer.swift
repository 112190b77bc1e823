internal import Observability
internal import Primitives

/// Bytes of lines, put together without an allocation each. What finds no room is left out: the caller sees to it that
/// there is.
struct LineBuffer: ~Copyable {
    private let base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private let capacity: Int
    private let tables = LineTables.shared
    let ends = AccessEnds.shared
    /// What a JSON line of the second that was written last begins with, up to its fraction, and which second it is.
    private let head: UnsafeMutablePointer<UInt8>
    private var second: UInt64 = .max
    private var spare: [UInt8] = []

    private static let headStart: StaticString = #"{"start_time":""#
    /// `2026-11-22T12:12:51.`
    private static let secondCount = 20
    /// Of what is no text: a number, a time, an address.
    private static let longestValue = 64

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity + LineCursor.slack)
        head = .allocate(capacity: 2 * LineCursor.slack)
        head.initialize(repeating: 0, count: 2 * LineCursor.slack)
        head.update(from: LineBuffer.headStart.utf8Start, count: LineBuffer.headStart.utf8CodeUnitCount)
    }

    deinit {
        base.deallocate()
        head.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    var room: Int { capacity - count }

    mutating func removeAll() { count = 0 }

    /// Forgets what was added after there were so many.
    mutating func truncate(to count: Int) { self.count = min(count, self.count) }

    // MARK: Without a look at what room there is

    /// Where bytes go that are put there without a look at what room there is; they are in the buffer once it is given back.
    var cursor: LineCursor {
        @inline(__always) get { LineCursor(at: base + count, tables) }
    }

    @inline(__always)
    mutating func advance(to cursor: LineCursor) { count = cursor.next - base }

    /// `{"start_time":"…Z` of nanoseconds since 1970.
    @inline(__always)
    mutating func putHead(_ time: Int64, _ cursor: inout LineCursor) {
        let time = UInt64(bitPattern: max(0, time))
        let whole = time / 1_000_000_000
        if whole != second { setSecond(whole) }
        let headCount = LineBuffer.headStart.utf8CodeUnitCount &+ LineBuffer.secondCount
        cursor.put(padded: UnsafeRawBufferPointer(start: head, count: headCount))
        cursor.put(threeDigits: (time &- whole &* 1_000_000_000) / 1_000_000)
    }

    @inline(never)
    private mutating func setSecond(_ whole: UInt64) {
        second = whole
        spare.removeAll(keepingCapacity: true)
        Timestamp.append(Int64(clamping: whole) * 1_000_000_000, to: &spare)
        // Without its milliseconds and the Z.
        let start = head + LineBuffer.headStart.utf8CodeUnitCount
        for index in 0..<min(LineBuffer.secondCount, spare.count) { start[index] = spare[index] }
    }

    // MARK: Where there is room

    mutating func append(_ byte: UInt8) {
        guard count < capacity else { return }
        base[count] = byte
        count += 1
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count <= room else { return }
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    mutating func append(decimal value: UInt64) {
        guard room >= LineBuffer.longestValue else { return }
        var cursor = cursor
        cursor.put(decimal: value)
        advance(to: cursor)
    }

    mutating func append(hexadecimal value: UInt64) {
        guard room >= LineBuffer.longestValue else { return }
        var cursor = cursor
        cursor.put(hexadecimal: value)
        advance(to: cursor)
    }

    /// Nanoseconds as milliseconds with three decimals.
    mutating func append(milliseconds nanoseconds: Int64) {
        guard room >= LineBuffer.longestValue else { return }
        var cursor = cursor
        cursor.put(milliseconds: nanoseconds)
        advance(to: cursor)
    }

    /// As `1.2.3.4:80` or `[2001:db8::1]:80`.
    mutating func append(_ address: SocketAddress) {
        guard room >= LineBuffer.longestValue else { return }
        var cursor = cursor
        cursor.put(address)
        advance(to: cursor)
    }

    mutating func append(_ address: IPAddress) { append(Array(address.description.utf8)) }

    /// RFC 3339 in UTC with milliseconds; nanoseconds since 1970.
    mutating func append(time: Int64) {
        guard room >= 2 * LineBuffer.longestValue else { return }
        let start = count + LineBuffer.headStart.utf8CodeUnitCount
        var cursor = cursor
        putHead(time, &cursor)
        cursor.put(UInt8(ascii: "Z"))
        let end = cursor.next - base
        // Without what stands before the value.
        UnsafeMutableRawPointer(base + count).copyMemory(from: base + start, byteCount: end - start)
        count += end - start
    }

    /// Text that a peer may have chosen, escaped as in a JSON string, without quotes: it stays within one line and one string.
    mutating func append(escaped text: UnsafeRawBufferPointer) {
        guard !LineBuffer.isPlain(text) else { return append(text) }
        spare.removeAll(keepingCapacity: true)
        JSONText.append(String(decoding: text, as: UTF8.self), to: &spare)
        spare.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[1..<($0.count - 1)])) }
    }

    private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        text.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
}
