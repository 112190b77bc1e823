import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("handover")
struct HandoverTests {
    @Test("messages are read as they are written, and what is none is kept as it came")
    func messages() {
        let all: [HandoverMessage] = [
            .greeting(version: "1.2.3"), .more, .sockets(left: 12), .ready, .released, .cancelled("it was late"),
            .farewell,
            .end,
        ]
        for message in all { #expect(HandoverMessage(message.text) == message) }
        #expect(HandoverMessage("sluice-handover-2 1.2.3") == .unknown("sluice-handover-2 1.2.3"))
        #expect(HandoverMessage("sockets many") == .unknown("sockets many"))
    }

    @Test("copies of one socket count once, and what is no listener is closed")
    func inherited() throws {
        let first = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0))
        let second = try StreamSocket.listen(on: SocketAddress(.anyV6, 0), dualStack: true)
        let port = try #require(StreamSocket.localAddress(of: first)?.port)
        let every = try #require(StreamSocket.localAddress(of: second)?.port)
        let client = try StreamSocket.connect(to: .ip(SocketAddress(.loopbackV4, port)))
        let copies = try [first.raw, first.raw, client.raw, second.raw].map { try InheritedDescriptor.copy($0) }
        var inherited = InheritedListeners(copies)
        #expect(inherited.count == 2)
        #expect(inherited.take(at: SocketAddress(.loopbackV4, every)) == nil)
        let found = inherited.take(at: SocketAddress(.anyV6, every))
        let taken = try #require(found)
        #expect(InheritedDescriptor.listener(taken)?.address.port == every)
        let left = inherited.takeAll()
        #expect(left.keys.sorted() == [Binding(address: .loopbackV4, port: port)])
        #expect(inherited.isEmpty && left.values.allSatisfy { $0.count == 1 })
        for raw in left.values.joined() + [taken] { InheritedDescriptor.close(raw) }
    }

    @Test("sockets of a service manager are this process's only where it says so")
    func environment() {
        let own = "\(Host.processIdentifier)"
        #expect(ServiceManager.inherited { ["LISTEN_PID": own, "LISTEN_FDS": "2"][$0] } == [3, 4])
        #expect(ServiceManager.inherited { ["LISTEN_PID": "1", "LISTEN_FDS": "2"][$0] }.isEmpty)
        #expect(ServiceManager.inherited { ["LISTEN_PID": own, "LISTEN_FDS": "-1"][$0] }.isEmpty)
        #expect(ServiceManager.inherited { _ in nil }.isEmpty)
    }
}
