import EngineCore
import Primitives
import Testing

/// Parses from memory of exactly the right size, so that a sanitizer sees one byte too many.
private func parseStart(_ bytes: some Collection<UInt8>) -> PostgresStart {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return PostgresStart.parse(UnsafeRawBufferPointer(memory))
}

@Suite("How PostgreSQL clients begin", .timeLimit(.minutes(5)))
struct PostgresStartTests {
    private static let gssRequest: [UInt8] = message(8, 80_877_104)
    private static let cancel = message(16, 80_877_102) + [0, 0, 4, 0xd2, 1, 2, 3, 4]
    private static let startup = message(31, 196_608) + Array("user\0me\0database\0shop\0\0".utf8)

    private static func message(_ length: UInt32, _ code: UInt32) -> [UInt8] {
        [length, code].flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> ($0 as UInt32)) } }
    }

    @Test("requests for encryption, a cancellation, a start and direct TLS are told apart")
    func kinds() {
        #expect(PostgresStart.sslRequestBytes == Self.message(8, 80_877_103))
        #expect(parseStart(PostgresStart.sslRequestBytes) == .sslRequest(following: 0))
        #expect(parseStart(Self.gssRequest) == .gssEncryptionRequest(following: 0))
        #expect(parseStart(Self.cancel) == .cancelRequest(length: 16))
        #expect(parseStart(Self.startup) == .startup(length: 31, minorVersion: 0))
        #expect(parseStart(Self.message(9, 196_610) + [0]) == .startup(length: 9, minorVersion: 2))
        #expect(parseStart(CapturedHello.openssl13) == .clientHello)
        #expect(parseStart([0x16]) == .clientHello)
        #expect(PostgresStart.accept == 0x53 && PostgresStart.refuse == 0x4e)
    }

    @Test("a start and a cancellation are known from eight bytes")
    func early() {
        #expect(parseStart(Self.startup.prefix(8)) == .startup(length: 31, minorVersion: 0))
        #expect(parseStart(Self.cancel.prefix(8)) == .cancelRequest(length: 16))
        for length in 1..<8 {
            for bytes in [Self.startup, Self.cancel, Self.gssRequest, PostgresStart.sslRequestBytes] {
                #expect(parseStart(bytes.prefix(length)) == .needMore(total: 8))
            }
        }
        #expect(parseStart([]) == .needMore(total: 1))
    }

    @Test("bytes that came with a request, before its answer, are counted")
    func pipelined() {
        let ssl = PostgresStart.sslRequestBytes
        #expect(parseStart(ssl + [0x16]) == .sslRequest(following: 1))
        #expect(parseStart(ssl + Self.startup) == .sslRequest(following: 31))
        #expect(parseStart(Self.gssRequest + ssl) == .gssEncryptionRequest(following: 8))
    }

    @Test("a client asks for GSSAPI, then for TLS, then starts in the clear")
    func sequence() {
        var stream = Self.gssRequest + PostgresStart.sslRequestBytes + Self.startup
        #expect(parseStart(stream.prefix(8)) == .gssEncryptionRequest(following: 0))
        stream.removeFirst(PostgresStart.requestLength)
        #expect(parseStart(stream.prefix(8)) == .sslRequest(following: 0))
        stream.removeFirst(PostgresStart.requestLength)
        #expect(parseStart(stream) == .startup(length: stream.count, minorVersion: 0))
    }

    @Test("lengths are those that PostgreSQL takes")
    func lengths() {
        #expect(parseStart(Self.message(10_004, 196_608)) == .startup(length: 10_004, minorVersion: 0))
        #expect(parseStart(Self.message(10_005, 196_608).prefix(4)) == .notPostgres(.length))
        #expect(parseStart(Self.message(0x2800, 196_608).prefix(3)) == .notPostgres(.length))
        #expect(parseStart(Self.message(1 << 16, 196_608).prefix(2)) == .notPostgres(.length))
        for length in 0..<8 as Range<UInt32> {
            #expect(parseStart(Self.message(length, 196_608).prefix(4)) == .notPostgres(.length))
        }
        #expect(parseStart(Self.message(8, 196_608)) == .notPostgres(.length))
        #expect(parseStart(Self.message(268, 80_877_102)) == .cancelRequest(length: 268))
        for length in [8, 9, 15, 269] as [UInt32] {
            #expect(parseStart(Self.message(length, 80_877_102)) == .notPostgres(.length))
        }
        for code in [80_877_103, 80_877_104] as [UInt32] {
            for length in [9, 16, 10_000] as [UInt32] {
                #expect(parseStart(Self.message(length, code)) == .notPostgres(.length))
            }
        }
    }

    @Test("other protocols, versions and requests are refused at the byte that tells")
    func refusals() {
        for text in ["GET / HTTP/1.1\r\n", "QUIT\r\n", "*1\r\n", "SSH-2.0-x", "PROXY TCP4"] {
            #expect(parseStart(Array(text.utf8)) == .notPostgres(.otherProtocol))
            #expect(parseStart(Array(text.utf8.prefix(1))) == .notPostgres(.otherProtocol))
        }
        for byte in 1...UInt8.max where byte != 0x16 { #expect(parseStart([byte]) == .notPostgres(.otherProtocol)) }
        // Protocols 2 and 4; PostgreSQL's range of requests has three.
        #expect(parseStart(Self.message(296, 131_072).prefix(6)) == .notPostgres(.version))
        #expect(parseStart(Self.message(33, 4 << 16).prefix(6)) == .notPostgres(.version))
        #expect(parseStart(Self.message(33, 0x0100_0000).prefix(5)) == .notPostgres(.version))
        #expect(parseStart(Self.message(16, 80_877_101)) == .notPostgres(.version))
        #expect(parseStart(Self.message(8, 80_877_105)) == .notPostgres(.version))
        #expect(parseStart(Self.message(8, 1234 << 16).prefix(7)) == .notPostgres(.version))
    }

    @Test("20,000 random mutations never trap, and one byte at a time they come to the same")
    func mutations() {
        var random = SplitMix64(seed: 5)
        var decided = Set<String>()
        for round in 0..<20_000 {
            let seeds = [Self.startup, Self.cancel, Self.gssRequest, PostgresStart.sslRequestBytes, [0x16, 3, 1, 0]]
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<random.next() % 3 {
                let position = Int(random.next() % UInt64(min(bytes.count, 8)))
                bytes[position] =
                    [0, 3, 4, 8, 0x16, 0xd2, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 7)]
            }
            let whole = parseStart(bytes)
            decided.insert("\(whole)")
            guard let first = (0...bytes.count).lazy.map({ parseStart(bytes.prefix($0)) }).first(where: isDecision)
            else {
                guard case .needMore(let total) = whole else {
                    Issue.record("seed 5, round \(round): \(whole)")
                    continue
                }
                #expect(total > bytes.count)
                continue
            }
            #expect(withoutFollowing(first) == withoutFollowing(whole), "seed 5, round \(round)")
        }
        #expect(decided.count > 20)
    }

    private func isDecision(_ start: PostgresStart) -> Bool {
        if case .needMore = start { false } else { true }
    }

    private func withoutFollowing(_ start: PostgresStart) -> PostgresStart {
        switch start {
        case .sslRequest: .sslRequest(following: 0)
        case .gssEncryptionRequest: .gssEncryptionRequest(following: 0)
        default: start
        }
    }

    @Test("an ErrorResponse has the fields that a client of protocol 3 shows")
    func errorResponse() {
        let bytes = PostgresErrorResponse.fatal("TLS required\0!")
        let fields = "SFATAL\0VFATAL\0C08P01\0MTLS required!\0\0"
        #expect(bytes == [0x45, 0, 0, 0, UInt8(fields.utf8.count + 4)] + Array(fields.utf8))
        let other = PostgresErrorResponse.fatal("x", sqlState: .featureNotSupported)
        #expect(String(decoding: other, as: UTF8.self).contains("C0A000\0Mx\0\0"))
    }
}
