internal import CLinux

/// The process that listens on a TCP port.
public struct PortHolder: Hashable, Sendable, CustomStringConvertible {
    /// Its name as the kernel knows it: at most 15 bytes.
    public var process: String
    public var pid: Int32

    public init(process: String, pid: Int32) { (self.process, self.pid) = (process, pid) }

    /// `redis-server (pid 812)`
    public var description: String { "\(process) (pid \(pid))" }
}

/// Finds out, as well as rights allow, who listens on a TCP port of this network namespace, on any address; of several
/// processes that share the socket the one with the lowest pid. nil when nobody does, or when the descriptors of
/// whoever does may not be looked at (another user, another pid namespace). Reads all of /proc: for messages only.
public func portHolder(of port: UInt16) -> PortHolder? {
    let sockets = Set(
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { table in listeningSockets(in: table, port: port) }
            .map { "socket:[\($0)]" })
    guard !sockets.isEmpty, let names = try? listDirectory("/proc") else { return nil }
    for pid in names.compactMap({ Int32($0) }).sorted() {
        guard let descriptors = try? listDirectory("/proc/\(pid)/fd") else { continue }
        for descriptor in descriptors {
            guard let link = try? readLink("/proc/\(pid)/fd/\(descriptor)"), sockets.contains(link) else { continue }
            return PortHolder(process: processName(pid), pid: pid)
        }
    }
    return nil
}

private func processName(_ pid: Int32) -> String {
    guard let bytes = try? readFile("/proc/\(pid)/comm", limit: 4096) else { return "unknown" }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? "unknown"
}

/// Inodes of the sockets that listen on `port`. The kernel lists those that listen first, so that a table of a million
/// connections is not read to its end.
private func listeningSockets(in table: String, port: UInt16) -> [String] {
    guard let text = try? readPrefix(of: table, limit: 1 << 20) else { return [] }
    let hexadecimal = String(port, radix: 16, uppercase: true)
    let suffix = ":" + String(repeating: "0", count: 4 - hexadecimal.utf8.count) + hexadecimal
    return text.split(separator: "\n").dropFirst().compactMap { line in
        // sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
        let words = line.split(separator: " ")
        guard words.count > 9, words[3] == "0A", words[1].hasSuffix(suffix) else { return nil }
        return String(words[9])
    }
}

private func readPrefix(of path: String, limit: Int) throws(Errno) -> String {
    let file = try FileDescriptor(readingFileAt: path)
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while content.count < limit {
        let result = chunk.withUnsafeMutableBytes { sluice_read(file.raw, $0.baseAddress, $0.count) }
        let count = Int(try checked(result))
        if count == 0 { break }
        content += chunk[..<count]
    }
    return String(decoding: content, as: UTF8.self)
}
