internal import Glibc
internal import Platform
public import Primitives

/// A DNS server on 127.0.0.1, UDP and TCP on one port that the kernel chose, whose answers a test changes as it goes.
public final class TestDNSServer: Sendable {
    public enum Answer: Sendable, Hashable {
        /// Addresses of both families; a family without any is answered with no data.
        case addresses([IPAddress], ttl: UInt32)
        /// A CNAME with a TTL of its own, and the addresses of the target.
        case alias(String, aliasTTL: UInt32, [IPAddress], ttl: UInt32)
        case noSuchName
        case serverFailure
        case silence
        /// As `addresses`, but UDP says that the answer is truncated: the whole comes over TCP.
        case truncated([IPAddress], ttl: UInt32)
        /// Different answers to A and AAAA.
        indirect case byFamily(ipv4: Answer, ipv6: Answer)
        /// SRV records, and no addresses.
        case services([Service], ttl: UInt32)
        /// UDP says that the answer is truncated: the whole comes over TCP.
        indirect case overTCP(Answer)
    }

    /// One SRV record; the target `.` says that the service is nowhere.
    public struct Service: Sendable, Hashable {
        var priority: UInt16
        var weight: UInt16
        var port: UInt16
        var target: String

        public init(_ target: String, port: UInt16, priority: UInt16 = 0, weight: UInt16 = 1) {
            (self.target, self.port, self.priority, self.weight) = (target, port, priority, weight)
        }
    }

    private struct State {
        var answers: [String: Answer] = [:]
        var questions: [String: Int] = [:]
        var isStopped = false
    }

    private let state: Locked<State>
    public let port: UInt16
    /// As ``Resolver`` takes it.
    public var address: String { "127.0.0.1:\(port)" }

    public init() throws {
        let state = Locked(State())
        self.state = state
        let (udp, tcp, port) = try TestDNSServer.bind()
        self.port = port
        try Thread(named: "test-dns") { TestDNSServer.serve(udp: udp, tcp: tcp, state) }.detach()
    }

    deinit { state.withLock { $0.isStopped = true } }

    /// Sets the answer for a name (lower case, no final dot); nil: no such name.
    public func set(_ name: String, _ answer: Answer?) { state.withLock { $0.answers[name] = answer } }

    /// How many questions for the name have come, all kinds of records together.
    public func questions(for name: String) -> Int { state.withLock { $0.questions[name] ?? 0 } }

    /// A UDP socket on a free port, and a TCP listener on the same one.
    private static func bind() throws -> (udp: Int32, tcp: Int32, port: UInt16) {
        for _ in 0..<50 {
            let udp = FileDescriptor(owning: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
            let bound = KernelAddress(SocketAddress(.loopbackV4, 0)).withPointer { Glibc.bind(udp.raw, $0, $1) }
            guard bound == 0, let address = StreamSocket.localAddress(of: udp) else {
                throw TestFailure("no UDP port: \(Errno(rawValue: errno))")
            }
            if let tcp = try? StreamSocket.listen(on: address) { return (udp.release(), tcp.release(), address.port) }
        }
        throw TestFailure("no port is free for both UDP and TCP")
    }

    private static func serve(udp: Int32, tcp: Int32, _ state: Locked<State>) {
        let datagrams = FileDescriptor(owning: udp)
        let listener = FileDescriptor(owning: tcp)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !state.withLock({ $0.isStopped }) {
            let ready = (try? pollReadable([udp, tcp], timeout: .milliseconds(50))) ?? []
            if ready.contains(0) {
                var peer = sockaddr_storage()
                var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                let count = withUnsafeMutablePointer(to: &peer) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(datagrams.raw, &buffer, buffer.count, 0, $0, &length)
                    }
                }
                if count > 0, let reply = reply(to: Array(buffer[..<count]), overTCP: false, state),
                    let address = KernelAddress.read(peer)
                {
                    _ = KernelAddress(address).withPointer { sendto(datagrams.raw, reply, reply.count, 0, $0, $1) }
                }
            }
            if ready.contains(1), let accepted = try? StreamSocket.accept(from: listener) {
                serveStream(accepted.takeSocket(), state)
            }
        }
    }

    /// One question over TCP, then the end.
    private static func serveStream(_ socket: consuming FileDescriptor, _ state: Locked<State>) {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.count < 2 || received.count < 2 + (Int(received[0]) << 8 | Int(received[1])) {
            guard (try? pollReadable([socket.raw], timeout: .seconds(2)))?.isEmpty == false else { return }
            let count = recv(socket.raw, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            received += buffer[..<count]
        }
        guard let reply = reply(to: Array(received[2...]), overTCP: true, state) else { return }
        try? socket.writeAll([UInt8(reply.count >> 8), UInt8(reply.count & 0xff)] + reply)
    }

    private static func reply(to query: [UInt8], overTCP: Bool, _ state: Locked<State>) -> [UInt8]? {
        guard let question = DNSQuestion(query) else { return nil }
        let answer = state.withLock { state in
            state.questions[question.name, default: 0] += 1
            return state.answers[question.name] ?? .noSuchName
        }
        return question.reply(answer, overTCP: overTCP)
    }
}

/// One question as it came, and the making of replies to it.
private struct DNSQuestion {
    let name: String
    private let type: UInt16
    private var isIPv6: Bool { type == 28 }
    private let identifier: [UInt8]
    /// Name, type and class as they came.
    private let section: [UInt8]

    init?(_ query: [UInt8]) {
        guard query.count > 12 else { return nil }
        var labels: [String] = []
        var index = 12
        while index < query.count, query[index] > 0 {
            let end = index + 1 + Int(query[index])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[(index + 1)..<end], as: UTF8.self).lowercased())
            index = end
        }
        guard index + 5 <= query.count else { return nil }
        name = labels.joined(separator: ".")
        type = UInt16(query[index + 1]) << 8 | UInt16(query[index + 2])
        identifier = Array(query[..<2])
        section = Array(query[12..<(index + 5)])
    }

    func reply(_ answer: TestDNSServer.Answer, overTCP: Bool) -> [UInt8]? {
        switch answer {
        case .silence: nil
        case .noSuchName: message(code: 3, [])
        case .serverFailure: message(code: 2, [])
        case .byFamily(let ipv4, let ipv6): reply(isIPv6 ? ipv6 : ipv4, overTCP: overTCP)
        case .truncated(let addresses, let ttl):
            overTCP ? reply(.addresses(addresses, ttl: ttl), overTCP: true) : message(code: 0, [], truncated: true)
        case .overTCP(let answer): overTCP ? reply(answer, overTCP: true) : message(code: 0, [], truncated: true)
        case .services(let services, let ttl):
            message(code: 0, type == 33 ? services.map { record($0, ttl) } : [])
        case .addresses(let addresses, let ttl): message(code: 0, records(addresses, [0xc0, 12], ttl))
        case .alias(let target, let aliasTTL, let addresses, let ttl):
            message(
                code: 0,
                [[0xc0, 12] + [0, 5, 0, 1] + bytes(aliasTTL) + prefixed(encoded(target))]
                    + records(addresses, encoded(target), ttl))
        }
    }

    private func records(_ addresses: [IPAddress], _ owner: [UInt8], _ ttl: UInt32) -> [[UInt8]] {
        guard type == 1 || type == 28 else { return [] }
        return addresses.filter { $0.isV4 != isIPv6 }.map { address in
            let data: [UInt8] =
                switch address {
                case .v4(let value): bytes(value)
                case .v6(let high, let low):
                    [high, low].flatMap { half in bytes(UInt32(half >> 32)) + bytes(UInt32(half & 0xffff_ffff)) }
                }
            return owner + [0, isIPv6 ? 28 : 1, 0, 1] + bytes(ttl) + prefixed(data)
        }
    }

    private func record(_ service: TestDNSServer.Service, _ ttl: UInt32) -> [UInt8] {
        let numbers = [service.priority, service.weight, service.port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        let target = service.target == "." ? [0] : encoded(service.target)
        return [0xc0, 12, 0, 33, 0, 1] + bytes(ttl) + prefixed(numbers + target)
    }

    private func message(code: UInt8, _ records: [[UInt8]], truncated: Bool = false) -> [UInt8] {
        let count = [UInt8(records.count >> 8), UInt8(records.count & 0xff)]
        let counts: [UInt8] = [0, 1] + count + [0, 0, 0, 0]
        return identifier + [truncated ? 0x87 : 0x85, 0x80 | code] + counts + section + records.flatMap { $0 }
    }

    private func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }
    private func prefixed(_ data: [UInt8]) -> [UInt8] { [0, UInt8(data.count)] + data }
    private func encoded(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
