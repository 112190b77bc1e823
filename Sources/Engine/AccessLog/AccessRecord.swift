internal import EngineModel
internal import Primitives

/// What a worker notes of a connection for one line: plain bytes, with nothing that is owned. The texts follow it, in the
/// order of ``AccessText``, back to back.
struct AccessRecord {
    /// Of the whole note, texts and what fills up the last word included.
    var size: UInt32 = 0
    var format: UInt16 = 0
    var event = AccessEvent.close
    /// Of ends.
    var reason = CloseReason.clientClosed
    var side = CloseSide.client
    var attempts: UInt8 = 0
    /// 0: no header.
    var proxyVersion: UInt8 = 0
    var stage = AccessStage.opening
    var flags: AccessFlags = []

    var id: UInt64 = 0
    var generation: UInt64 = 0
    var received: UInt64 = 0
    var sent: UInt64 = 0

    // Monotonic nanoseconds.
    var acceptedAt: Int64 = 0
    var at: Int64 = 0
    // Nanoseconds that something took; below 0: it did not happen.
    var proxy: Int64 = -1
    var handshake: Int64 = -1
    var queue: Int64 = -1
    var connect: Int64 = -1
    var firstByte: Int64 = -1
    var throttled: Int64 = 0
    /// How many stood in the backend's line before it.
    var ahead: Int32 = 0
    /// The worker's place of the connection: what was noted of its hello is found by it (``HelloNotes``).
    var slot: UInt32 = .max

    // Names of what configures it, which outlive the note (``RetiredNames``).
    var listener: AccessNames.Reference?
    var route: AccessNames.Reference?
    var backend: AccessNames.Reference?

    var client = SocketAddress(.anyV4, 0)
    var peer = SocketAddress(.anyV4, 0)
    // Those that ``flags`` tell of.
    var local = SocketAddress(.anyV4, 0)
    var upstream = SocketAddress(.anyV4, 0)
    var upstreamLocal = SocketAddress(.anyV4, 0)

    /// Others that are open: of the process, the listener, the backend and the endpoint.
    var others: InlineArray<4, Int32> = .init(repeating: 0)
    var counts: InlineArray<11, UInt16> = .init(repeating: 0)

    /// Bytes of one text that are kept.
    static let longestText = 1024
    /// The most that a note takes.
    static let most = max(MemoryLayout<AccessRecord>.stride + AccessText.count * longestText, HelloNote.most) + 8
}

/// Those of lines; `hello` notes are for the lines that follow (``HelloNote``).
enum AccessEvent: UInt8 { case open, periodic, close, hello }

/// How far a connection came.
enum AccessStage: UInt8 { case opening, connecting, relaying }

struct AccessFlags: OptionSet {
    let rawValue: UInt8
    static let hasLocal = AccessFlags(rawValue: 1)
    static let hasUpstream = AccessFlags(rawValue: 2)
    static let hasUpstreamLocal = AccessFlags(rawValue: 4)
    /// TLS with the client was finished here.
    static let isTerminated = AccessFlags(rawValue: 8)
    static let isResumed = AccessFlags(rawValue: 16)
    /// The peer is the client: no PROXY header named another.
    static let isDirect = AccessFlags(rawValue: 128)
    /// What becomes of the note.
    static let isLine = AccessFlags(rawValue: 32)
    static let isEvent = AccessFlags(rawValue: 64)
}

enum AccessText: Int, CaseIterable {
    /// Of a Unix socket.
    case upstreamPath
    case serverName, alpn, tlsVersion, tlsCipher, subject, names, publicKey
    case detail, policy, rule

    static let count = 11
}

/// Where a worker puts a note together.
struct AccessDraft {
    let base: UnsafeMutableRawPointer
    private var size = MemoryLayout<AccessRecord>.stride

    /// `base` has room for ``AccessRecord/most`` bytes.
    @inline(__always)
    init(at base: UnsafeMutableRawPointer) {
        self.base = base
        base.initializeMemory(as: AccessRecord.self, to: AccessRecord())
    }

    var record: UnsafeMutablePointer<AccessRecord> { base.assumingMemoryBound(to: AccessRecord.self) }

    /// Nothing is added any more: its size, a multiple of 8.
    @inline(__always)
    func finish() -> Int {
        let whole = (size &+ 7) & ~7
        record.pointee.size = UInt32(truncatingIfNeeded: whole)
        return whole
    }

    /// In the order of ``AccessText``; more of the same one is added to it. What is too long is cut.
    mutating func append(_ text: AccessText, _ bytes: UnsafeRawPointer, _ count: Int) {
        let room = AccessRecord.longestText - Int(record.pointee.counts[text.rawValue])
        let count = min(count, room)
        guard count > 0 else { return }
        (base + size).copyMemory(from: bytes, byteCount: count)
        record.pointee.counts[text.rawValue] += UInt16(count)
        size += count
    }

    mutating func append(_ text: AccessText, _ string: String) {
        var string = string
        string.withUTF8 { bytes in
            if let start = bytes.baseAddress { append(text, start, bytes.count) }
        }
    }

    mutating func append(_ text: AccessText, cString: UnsafePointer<CChar>) {
        var count = 0
        while cString[count] != 0 { count += 1 }
        append(text, cString, count)
    }
}
