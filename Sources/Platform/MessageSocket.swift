internal import CLinux
internal import Glibc

/// A Unix socket whose messages keep their bounds and may carry descriptors (SOCK_SEQPACKET).
public final class MessageSocket: Sendable {
    private let descriptor: FileDescriptor
    /// Bytes of a message.
    public static let messageLimit = 4096
    /// Descriptors that one message may carry.
    public static let descriptorLimit = Int(SLUICE_MESSAGE_DESCRIPTORS)

    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Two that are connected: one for this process, one to be given to a child, which the caller closes.
    public static func pair() throws(Errno) -> (ours: MessageSocket, theirs: Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            sluice_socket_pair(sockMessages, $0.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        try checked(result)
        return (MessageSocket(FileDescriptor(owning: ends.0)), ends.1)
    }

    /// Connects to one that listens. ECONNREFUSED: nobody does any more; ENOENT: there is no such path.
    public static func connect(to path: String) throws(Errno) -> MessageSocket {
        let socket = FileDescriptor(owning: try checked(sluice_socket(AF_UNIX, sockMessages, 0)))
        try withUnixAddress(path) { sluice_connect(socket.raw, $0, $1) }
        return MessageSocket(socket)
    }

    /// Listens at a path (mode 0600), in place of one that was left behind there.
    public static func listen(at path: String) throws(Errno) -> FileDescriptor {
        let socket = FileDescriptor(owning: try checked(sluice_socket(AF_UNIX, sockMessages, 0)))
        _ = sluice_unlink(path)
        try withUnixAddress(path) { sluice_bind(socket.raw, $0, $1) }
        // Nobody can connect before it listens.
        try checked(sluice_change_mode(path, 0o600))
        try checked(sluice_listen(socket.raw, 4))
        return socket
    }

    /// Takes one that connected, or nil where none waits.
    public static func accept(from listener: borrowing FileDescriptor) throws(Errno) -> MessageSocket? {
        guard let accepted = try StreamSocket.accept(from: listener) else { return nil }
        return MessageSocket(accepted.takeSocket())
    }

    /// For ``pollReadable(_:timeout:)``.
    public var raw: Int32 { descriptor.raw }

    /// The process at the other end, as it was when it connected.
    public var peer: (pid: Int32, user: UInt32)? {
        var (pid, user): (Int32, UInt32) = (0, 0)
        return sluice_peer(descriptor.raw, &pid, &user) == 0 ? (pid, user) : nil
    }

    /// Sends one message. EAGAIN: the other end has not read what was sent before.
    public func send(_ text: String, descriptors: [Int32] = []) throws(Errno) {
        let bytes = Array(text.utf8)
        try checked(
            sluice_send_descriptors(descriptor.raw, bytes, bytes.count, descriptors, Int32(clamping: descriptors.count))
        )
    }

    /// The next message, or nil where none has come. An empty text is the end: the other side is gone.
    public func receive() throws(Errno) -> (text: String, descriptors: [Int32])? {
        var bytes = [UInt8](repeating: 0, count: MessageSocket.messageLimit)
        var descriptors = [Int32](repeating: -1, count: MessageSocket.descriptorLimit)
        var number: Int32 = 0
        let result = sluice_receive_descriptors(descriptor.raw, &bytes, bytes.count, &descriptors, &number)
        if result == -Int64(EAGAIN) { return nil }
        let count = Int(try checked(result))
        return (String(decoding: bytes[..<count], as: UTF8.self), Array(descriptors[..<Int(number)]))
    }
}

/// Sends one datagram to a Unix socket; a path that begins with `@` is a name of the abstract kind.
public func sendDatagram(_ text: String, descriptors: [Int32] = [], to path: String) throws(Errno) {
    let socket = FileDescriptor(owning: try checked(sluice_socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)))
    // Waiting is better than losing what a service manager is told, and it reads at once.
    try socket.setNonBlocking(false)
    try withUnixAddress(path) { sluice_connect(socket.raw, $0, $1) }
    let bytes = Array(text.utf8)
    try checked(
        sluice_send_descriptors(socket.raw, bytes, bytes.count, descriptors, Int32(clamping: descriptors.count)))
}

private let sockMessages = Int32(SOCK_SEQPACKET.rawValue)

private func withUnixAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) throws(Errno) {
    var (address, length) = (sockaddr_un(), socklen_t(0))
    try checked(sluice_unix_address(path, &address, &length))
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
    try checked(result)
}
