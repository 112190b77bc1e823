internal import CLinux
internal import Glibc

/// Owns one descriptor and closes it when it goes. Not for a worker's connections, which live in their slots.
public struct FileDescriptor: ~Copyable, Sendable {
    public let raw: Int32

    /// Takes over an open descriptor.
    public init(owning raw: Int32) { self.raw = raw }

    deinit { _ = sluice_close(raw) }

    /// Gives up ownership: the caller closes.
    public consuming func release() -> Int32 {
        let value = raw
        discard self
        return value
    }

    /// Opens a file for reading, close-on-exec.
    public init(readingFileAt path: String) throws(Errno) {
        raw = try checked(sluice_open(path, O_RDONLY, 0))
    }

    /// Reads at most `buffer.count` bytes; 0 is the end.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        Int(try checked(sluice_read(raw, buffer.baseAddress, buffer.count)))
    }

    /// Writes as much as the kernel takes at once.
    public borrowing func write(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        Int(try checked(sluice_write(raw, buffer.baseAddress, buffer.count)))
    }

    /// Writes all of it, waiting where the descriptor blocks.
    public borrowing func writeAll(_ bytes: some Sequence<UInt8>) throws(Errno) {
        let array = Array(bytes)
        var offset = 0
        while offset < array.count {
            let result = array.withUnsafeBytes {
                sluice_write(raw, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
            offset += Int(try checked(result))
        }
    }

    public borrowing func setNonBlocking(_ on: Bool) throws(Errno) {
        try checked(sluice_set_nonblocking(raw, on ? 1 : 0))
    }

    /// Whether it is a terminal.
    public var isTerminal: Bool { sluice_is_terminal(raw) == 1 }
}

/// Standard streams; never closed.
public enum StandardStream: Int32, Sendable {
    case input = 0
    case output = 1
    case error = 2

    public var isTerminal: Bool { sluice_is_terminal(rawValue) == 1 }

    /// Writes all of it, waiting where the stream blocks. Errors are thrown (EPIPE: the reader is gone).
    public func write(_ text: String) throws(Errno) { try write(Array(text.utf8)) }

    /// Writes all of it, waiting where the stream blocks. Errors are thrown (EPIPE: the reader is gone).
    public func write(_ bytes: [UInt8]) throws(Errno) {
        var offset = 0
        while offset < bytes.count {
            let result = bytes.withUnsafeBytes {
                sluice_write(rawValue, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
            if result == -Int64(EAGAIN) {
                var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, 1000)
                continue
            }
            offset += Int(try checked(result))
        }
    }
}

/// Reads a whole file. `limit` in bytes: a larger file is refused with EFBIG.
public func readFile(_ path: String, limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
    let file = try FileDescriptor(readingFileAt: path)
    var content: [UInt8] = []
    // Not an array: it would be zeroed for each of thousands of small files.
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { chunk.deallocate() }
    while true {
        let count = Int(try checked(sluice_read(file.raw, chunk.baseAddress, chunk.count)))
        if count == 0 { return content }
        content += UnsafeRawBufferPointer(rebasing: chunk[..<count])
        guard content.count <= limit else { throw Errno(rawValue: EFBIG) }
    }
}
