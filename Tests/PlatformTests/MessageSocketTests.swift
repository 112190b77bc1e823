import Platform
import Primitives
import TestSupport
import Testing

@Suite("Messages with descriptors", .timeLimit(.minutes(1)))
struct MessageSocketTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test("messages keep their bounds, and 253 descriptors arrive with theirs as the same sockets")
    func passes() throws {
        let path = folder.path + "/socket"
        let listener = try MessageSocket.listen(at: path)
        let client = try MessageSocket.connect(to: path)
        let accepted = try MessageSocket.accept(from: listener)
        let server = try #require(accepted)
        #expect(try MessageSocket.accept(from: listener) == nil)
        #expect(server.peer?.pid == Host.processIdentifier && server.peer?.user == Host.userIdentifier)
        #expect(try server.receive() == nil)
        let tcp = try StreamSocket.listen(on: SocketAddress(.loopbackV6, 0))
        let sent = try #require(InheritedDescriptor.listener(tcp.raw))
        try client.send("first", descriptors: Array(repeating: tcp.raw, count: MessageSocket.descriptorLimit))
        try client.send("second")
        let first = try #require(try server.receive())
        #expect(first.text == "first" && first.descriptors.count == MessageSocket.descriptorLimit)
        for raw in first.descriptors {
            let received = try #require(InheritedDescriptor.listener(raw))
            #expect(received.inode == sent.inode && received.address == sent.address && !received.isDualStack)
            InheritedDescriptor.close(raw)
        }
        let second = try #require(try server.receive())
        #expect(second.text == "second" && second.descriptors.isEmpty)
        #expect(throws: Errno.invalidArgument) {
            try client.send("too many", descriptors: Array(repeating: tcp.raw, count: 254))
        }
    }

    @Test("a path is taken over from who left it, and nobody is there once the listener is gone")
    func paths() throws {
        let path = folder.path + "/socket"
        #expect(throws: Errno.noEntry) { _ = try MessageSocket.connect(to: path) }
        do { _ = try MessageSocket.listen(at: path) }
        #expect(throws: Errno.connectionRefused) { _ = try MessageSocket.connect(to: path) }
        let again = try MessageSocket.listen(at: path)
        let client = try MessageSocket.connect(to: path)
        #expect(try MessageSocket.accept(from: again) != nil)
        #expect(try client.receive()?.text == "")
    }

    @Test("only TCP sockets that listen are taken for listeners")
    func kinds() throws {
        let listener = try StreamSocket.listen(on: SocketAddress(.anyV6, 0), dualStack: true)
        let known = try #require(InheritedDescriptor.listener(listener.raw))
        #expect(known.isDualStack && known.address.ip == .anyV6)
        let client = try StreamSocket.connect(to: .ip(SocketAddress(.loopbackV6, known.address.port)))
        #expect(InheritedDescriptor.listener(client.raw) == nil)
        let unix = try MessageSocket.listen(at: folder.path + "/socket")
        #expect(InheritedDescriptor.listener(unix.raw) == nil)
    }
}
