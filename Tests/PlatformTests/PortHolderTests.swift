import Platform
import Primitives
import Testing

@Suite("Port holder", .timeLimit(.minutes(1)))
struct PortHolderTests {
    @Test("names this process for a socket of its own", arguments: [IPAddress.loopbackV4, .loopbackV6])
    func own(address: IPAddress) throws {
        let socket = try StreamSocket.listen(on: SocketAddress(address, 0))
        let bound = StreamSocket.localAddress(of: socket)
        let port = try #require(bound).port
        let holder = try #require(PortHolders()[port])
        #expect(holder.pid == Host.processIdentifier)
        let name = String(decoding: try readFile("/proc/self/comm"), as: UTF8.self)
        #expect(name == holder.process + "\n")
        #expect(holder.description == "\(holder.process) (pid \(holder.pid))")
    }

    @Test("nobody holds port 0")
    func nobody() { #expect(PortHolders()[0] == nil) }

    @Test("a connected socket is no holder")
    func connected() throws {
        let listener = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0))
        let bound = StreamSocket.localAddress(of: listener)
        let client = try StreamSocket.connect(to: .ip(try #require(bound)))
        let connected = StreamSocket.localAddress(of: client)
        let local = try #require(connected)
        #expect(PortHolders()[local.port]?.pid != Host.processIdentifier)
    }
}

@Suite("Directory", .timeLimit(.minutes(1)))
struct DirectoryTests {
    @Test("lists and counts names without the two dots")
    func lists() throws {
        let names = try listDirectory("/proc/self/net")
        #expect(names.contains("tcp"))
        #expect(!names.contains(".") && !names.contains(".."))
        #expect(try countDirectoryEntries("/proc/self/net") == names.count)
    }

    @Test("counts this process's descriptors")
    func descriptors() throws {
        // Other tests open and close descriptors meanwhile: a count between two known bounds.
        let sockets = try (0..<50).map { _ in try EventDescriptor() }
        #expect(try countDirectoryEntries("/proc/self/fd") >= sockets.count)
    }

    @Test("errors name their cause")
    func errors() {
        #expect(throws: Errno.noEntry) { try listDirectory("/nonexistent") }
        #expect(throws: Errno.noEntry) { try readLink("/nonexistent") }
        #expect(throws: Errno.noEntry) { try countDirectoryEntries("/nonexistent") }
    }

    @Test("reads a link")
    func link() throws {
        #expect(try readLink("/proc/self/exe").hasPrefix("/"))
    }
}
