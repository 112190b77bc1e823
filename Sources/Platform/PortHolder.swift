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

/// Who listens on the TCP ports of this network namespace, on any address, as well as rights allow: one reading of all of
/// /proc, for messages only. Of several processes that share a socket the one with the lowest pid; nobody where the
/// descriptors of whoever does may not be looked at (another user, another pid namespace).
public struct PortHolders: Sendable {
    private var holders: [UInt16: PortHolder] = [:]

    /// As it is now.
    public init() {
        var ports: [String: UInt16] = [:]
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for (inode, port) in listeningSockets(in: table) { ports["socket:[\(inode)]"] = port }
        }
        guard !ports.isEmpty, let names = try? listDirectory("/proc") else { return }
        for pid in names.compactMap({ Int32($0) }).sorted() {
            guard let descriptors = try? listDirectory("/proc/\(pid)/fd") else { continue }
            var name: String?
            for descriptor in descriptors {
                guard let link = try? readLink("/proc/\(pid)/fd/\(descriptor)"), let port = ports[link],
                    holders[port] == nil
                else { continue }
                let process = name ?? processName(pid)
                name = process
                holders[port] = PortHolder(process: process, pid: pid)
            }
        }
    }

    public subscript(_ port: UInt16) -> PortHolder? { holders[port] }
}

private func processName(_ pid: Int32) -> String {
    guard let bytes = try? readFile("/proc/\(pid)/comm", limit: 4096) else { return "unknown" }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? "unknown"
}

/// Inodes and ports of the sockets that listen. The kernel lists them first, so that a table of a million connections
/// is not read to its end.
private func listeningSockets(in table: String) -> [(inode: String, port: UInt16)] {
    guard let text = try? readPrefix(of: table, limit: 1 << 20) else { return [] }
    var sockets: [(inode: String, port: UInt16)] = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n")).dropFirst() {
        // sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
        let words = line.split(separator: UInt8(ascii: " "))
        guard words.count > 9, words[3].elementsEqual("0A".utf8) else { break }
        guard let port = UInt16(String(Substring(words[1].suffix(4))), radix: 16) else { continue }
        sockets.append((String(Substring(words[9])), port))
    }
    return sockets
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
