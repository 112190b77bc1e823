internal import CLinux

/// What may happen to a watched file or directory: the kernel's `IN_…` bits.
public struct FileEvents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let attributes = FileEvents(rawValue: 0x4)
    /// A descriptor that was open for writing was closed.
    public static let closeWrite = FileEvents(rawValue: 0x8)
    public static let movedFrom = FileEvents(rawValue: 0x40)
    public static let movedTo = FileEvents(rawValue: 0x80)
    public static let create = FileEvents(rawValue: 0x100)
    public static let delete = FileEvents(rawValue: 0x200)
    public static let deleteSelf = FileEvents(rawValue: 0x400)
    public static let moveSelf = FileEvents(rawValue: 0x800)
    /// Events were lost.
    public static let overflow = FileEvents(rawValue: 0x4000)
    /// The watch is gone.
    public static let ignored = FileEvents(rawValue: 0x8000)
    /// For ``Inotify/add(_:_:)``: on top of what the object is watched for already.
    public static let addToMask = FileEvents(rawValue: 0x2000_0000)
    public static let isDirectory = FileEvents(rawValue: 0x4000_0000)
}

/// One event of a watch.
public struct FileEvent: Hashable, Sendable {
    /// The number that ``Inotify/add(_:_:)`` gave; -1 for an overflow.
    public var watch: Int32
    public var events: FileEvents
    /// The name in a watched directory; empty for the watched object itself.
    public var name: String

    public init(watch: Int32, events: FileEvents, name: String = "") {
        self.watch = watch
        self.events = events
        self.name = name
    }
}

/// An inotify instance: the kernel tells what changes in files and directories. Non-blocking.
public final class Inotify: Sendable {
    private let descriptor: FileDescriptor

    /// Throws `tooManyOpenFiles` also when the user has no instance left (fs.inotify.max_user_instances).
    public init() throws(Errno) { descriptor = FileDescriptor(owning: try checked(sluice_inotify_create())) }

    /// For epoll or ``pollReadable(_:timeout:)``.
    public var raw: Int32 { descriptor.raw }

    /// Watches what `path` leads to, links followed. The same object again gives the same number. Throws `noSpace` when the
    /// user has no watch left (fs.inotify.max_user_watches).
    public func add(_ path: String, _ events: FileEvents) throws(Errno) -> Int32 {
        try checked(sluice_inotify_add(descriptor.raw, path, events.rawValue))
    }

    /// Ends a watch; one that is gone already is no error.
    public func remove(_ watch: Int32) { _ = sluice_inotify_remove(descriptor.raw, watch) }

    /// Everything that has happened since the last call; empty when nothing has.
    public func read() throws(Errno) -> [FileEvent] {
        var events: [FileEvent] = []
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let result = buffer.withUnsafeMutableBytes { sluice_read(descriptor.raw, $0.baseAddress, $0.count) }
            if result == -Int64(Errno.wouldBlock.rawValue) { return events }
            let count = Int(try checked(result))
            if count == 0 { return events }
            buffer.withUnsafeBytes { Self.parse(UnsafeRawBufferPointer(rebasing: $0[..<count]), into: &events) }
        }
    }

    /// `struct inotify_event`: watch, mask, cookie and length of the name, each of four bytes, then the name and zeros.
    private static func parse(_ bytes: UnsafeRawBufferPointer, into events: inout [FileEvent]) {
        var offset = 0
        while offset + 16 <= bytes.count {
            let watch = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            guard offset + 16 + length <= bytes.count else { return }
            let name = bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
            events.append(
                FileEvent(
                    watch: watch, events: FileEvents(rawValue: mask), name: String(decoding: name, as: UTF8.self)))
            offset += 16 + length
        }
    }
}
