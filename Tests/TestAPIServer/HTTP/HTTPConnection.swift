internal import Platform

/// One connection, read and written by one thread; others may only shut it down.
final class HTTPConnection: Sendable {
    enum Failure: Error { case ended, malformed, interrupted }

    private let socket: FileDescriptor
    private let isShutDown = Locked(false)
    // Used by the connection's thread alone, under the lock for the compiler.
    private let buffer = Locked<[UInt8]>([])

    init(_ socket: consuming FileDescriptor) { self.socket = socket }

    var raw: Int32 { socket.raw }

    /// Breaks the connection with RST; the thread that serves it sees the end. From any thread.
    func reset() {
        isShutDown.withLock { $0 = true }
        breakConnection(socket.raw)
    }

    /// Shut down by the server.
    var isOver: Bool { isShutDown.withLock { $0 } }

    /// Whether the client has ended the connection; what it sent ahead is kept. To be asked when the socket is readable.
    func hasEnded() throws -> Bool {
        let waiting = buffer.withLock { $0.count }
        guard waiting < 1 << 20 else { return false }
        return try !fill()
    }

    /// The next request, or nil where the client ended the connection between two.
    func readRequest() throws -> ServedRequest? {
        guard let head = try readHead() else { return nil }
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let start = (lines.popFirst() ?? "").split(separator: " ")
        guard start.count == 3 else { throw Failure.malformed }
        var headers: [String: String] = [:]
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw Failure.malformed }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        if headers["expect"]?.lowercased() == "100-continue" { try write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        var body: [UInt8] = []
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            body = try readChunks()
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            guard length <= 64 << 20 else { throw Failure.malformed }
            body = try take(length)
        }
        return ServedRequest(method: String(start[0]), target: String(start[1]), headers: headers, body: body)
    }

    /// Writes all of it; throws where the client is gone or the connection was shut down.
    func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            if isShutDown.withLock({ $0 }) { throw Failure.interrupted }
            let count = bytes.withUnsafeBytes { buffer -> Int? in
                do throws(Errno) {
                    return try socket.write(UnsafeRawBufferPointer(rebasing: buffer[offset...]))
                } catch {
                    return error == .wouldBlock ? 0 : nil
                }
            }
            guard let count else { throw Failure.ended }
            offset += count
            if count == 0 {
                var entries = [PollEntry(socket.raw, read: false, write: true)]
                try pollReady(&entries, timeout: .milliseconds(200))
            }
        }
    }

    private func readHead() throws -> String? {
        while true {
            let head = buffer.withLock { buffer -> String? in
                guard let end = endOfHead(buffer) else { return nil }
                defer { buffer.removeFirst(end + 4) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            if let head { return head }
            let waiting = buffer.withLock { $0.count }
            guard waiting < 64 << 10 else { throw Failure.malformed }
            guard try fill() else {
                if waiting == 0 { return nil }
                throw Failure.ended
            }
        }
    }

    private func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4) where bytes[index] == 0x0d {
            if bytes[index + 1] == 0x0a, bytes[index + 2] == 0x0d, bytes[index + 3] == 0x0a { return index }
        }
        return nil
    }

    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let size = Int(try line().prefix { $0 != ";" }, radix: 16) ?? -1
            guard size >= 0, body.count + size <= 64 << 20 else { throw Failure.malformed }
            if size == 0 {
                while try !line().isEmpty {}
                return body
            }
            body += try take(size)
            _ = try line()
        }
    }

    private func line() throws -> String {
        while true {
            let line = buffer.withLock { buffer -> String? in
                guard let end = buffer.firstIndex(of: 0x0a) else { return nil }
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end].filter { $0 != 0x0d }, as: UTF8.self)
            }
            if let line { return line }
            guard try fill() else { throw Failure.ended }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while true {
            let bytes = buffer.withLock { buffer -> [UInt8]? in
                guard buffer.count >= count else { return nil }
                defer { buffer.removeFirst(count) }
                return Array(buffer[..<count])
            }
            if let bytes { return bytes }
            guard try fill() else { throw Failure.ended }
        }
    }

    /// Reads what has come, waiting for it; false at the end of the stream.
    private func fill() throws -> Bool {
        while true {
            if isShutDown.withLock({ $0 }) { return false }
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            var failure: Errno?
            let count = chunk.withUnsafeMutableBytes { bytes -> Int in
                do throws(Errno) {
                    return try socket.read(into: bytes)
                } catch {
                    failure = error
                    return 0
                }
            }
            if failure == .wouldBlock {
                _ = try pollReadable([socket.raw], timeout: .seconds(1))
                continue
            }
            guard count > 0 else { return false }
            buffer.withLock { $0 += chunk[..<count] }
            return true
        }
    }
}
