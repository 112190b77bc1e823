@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// Handshakes cost more than all else that strangers can ask for: whose turn it is.
@Suite("Turns of handshakes", .timeLimit(.minutes(2)))
struct HandshakeTurnTests {
    @Test("who floods waits behind itself, and who comes from elsewhere does not")
    func floodFromOneSource() throws {
        let certificate = try TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"], keyType: .rsa2048)
        let (harness, echo, port) = (try EngineHarness(workers: 1), try EchoBackend("a"), try freePort())
        let listener = tlsListener(
            "t", port: port, mode: try terminate(certificate), routes: [], fallback: route("a", to: "a"))
        harness.apply([listener], [backend("a", ports: [echo.port])])
        let flood = try (0..<300).map { _ in try PlainClient(port: port) }
        let newcomer = try PlainClient(from: try #require(IPAddress("127.9.9.9")), port: port)
        let hello = rawHello(suite: 0x2f, signature: [4, 1])
        for client in flood { try client.send(hello) }
        try newcomer.send(hello)
        #expect(try newcomer.receive(exactly: 6, timeout: .seconds(20)).first == 22)
        // In one line it would be the last of all; while this thread got here, some of them have been answered.
        let before = flood.filter { (try? $0.receive(max: 1, timeout: .zero)) != nil }
        #expect(before.count < 200)
        // Nor is anybody forgotten.
        let behind = try flood.filter { client in !before.contains { $0 === client } }.map {
            try $0.receive(exactly: 1, timeout: .seconds(30))
        }
        #expect(behind.allSatisfy { $0 == [22] })
    }

    private func withRecords(_ count: Int, _ body: (UnsafeMutablePointer<ConnectionRecord>) throws -> Void) rethrows {
        let records = UnsafeMutablePointer<ConnectionRecord>.allocate(capacity: count)
        records.initialize(repeating: ConnectionRecord(), count: count)
        defer {
            records.deinitialize(count: count)
            records.deallocate()
        }
        try body(records)
    }

    @Test("each slot gets one turn, those of one source in their order, and no source waits for two of another")
    func order() throws {
        var random = SplitMix64(seed: 7)
        try withRecords(2000) { records in
            var queue = HandshakeQueue(random: SplitMix64(seed: 1))
            var waiting: [IPAddress: [Int]] = [:]
            var next = 0
            // How many turns others had since a source began to wait.
            var passed: [IPAddress: [IPAddress: Int]] = [:]
            while next < 2000 || !waiting.isEmpty {
                if next < 2000, random.next() % 3 < 2 {
                    let number = random.next() % 4 == 0 ? random.next() % 5 : 0
                    let source =
                        number % 2 == 0
                        ? IPAddress.v4(0x0a00_0000 + UInt32(number))
                        : .v6(high: 0x2001_0db8_0000_0000 + number, low: random.next())
                    records[next].client = SocketAddress(source, 1)
                    let key = source.isV4 ? source : IPAddress.v6(high: 0x2001_0db8_0000_0000 + number, low: 0)
                    if waiting[key] == nil { passed[key] = [:] }
                    waiting[key, default: []].append(next)
                    queue.push(next, records)
                    next += 1
                } else if let slot = queue.pop(records) {
                    let key = try #require(waiting.first { $0.value.first == slot }?.key)
                    for other in waiting.keys where other != key {
                        let turns = passed[other, default: [:]][key, default: 0] + 1
                        passed[other, default: [:]][key] = turns
                        #expect(turns <= 1)
                    }
                    passed[key] = [:]
                    waiting[key]?.removeFirst()
                    if waiting[key]?.isEmpty == true { waiting[key] = nil }
                } else {
                    #expect(waiting.isEmpty)
                }
            }
            #expect(queue.isEmpty && queue.pop(records) == nil)
        }
    }

    @Test("whom chance puts into one line with a flood is elsewhere soon")
    func reseeding() throws {
        try withRecords(8) { records in
            let (flood, other) = (SocketAddress(.v4(1), 1), SocketAddress(.v4(2), 1))
            for slot in 0..<3 { records[slot].client = flood }
            records[3].client = other
            func isBehind(_ queue: inout HandshakeQueue) -> Bool {
                for slot in 0..<4 { queue.push(slot, records) }
                let order = (0..<4).compactMap { _ in queue.pop(records) }
                #expect(order.sorted() == [0, 1, 2, 3])
                return order.last == 3
            }
            var (seed, queue) = (UInt64(0), HandshakeQueue(random: SplitMix64(seed: 0)))
            while !isBehind(&queue), seed < 100_000 {
                seed += 1
                queue = HandshakeQueue(random: SplitMix64(seed: seed))
            }
            try #require(isBehind(&queue), "no seed below \(seed) puts them together")
            // One handshake of a flood takes 0.1 ms and more.
            var rounds = 0
            while isBehind(&queue), rounds < 10_000 { rounds += 1 }
            #expect(rounds < 2000, "\(rounds) rounds of the seed \(seed)")
        }
    }
}
