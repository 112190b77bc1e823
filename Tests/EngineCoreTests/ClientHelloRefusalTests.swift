import EngineCore
import Primitives
import Testing

@Suite("ClientHello, refused", .timeLimit(.minutes(5)))
struct ClientHelloRefusalTests {
    @Test(
        "another protocol is told from its first byte",
        arguments: [
            "GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9\r\n", "\u{0}\u{0}\u{0}\u{8}", "PROXY TCP4 ", "\r\n", "*1\r\n",
        ])
    func otherProtocols(text: String) {
        for length in 1...text.utf8.count { #expect(parseHello(Array(text.utf8).prefix(length)) == .notTLS) }
    }

    @Test("SSLv2 hellos, alerts and other major versions are not TLS handshakes")
    func otherRecords() {
        #expect(parseHello([0x80, 0x2e, 1, 0, 2]) == .notTLS)
        #expect(parseHello([21, 3, 1, 0, 2, 2, 40]) == .notTLS)
        #expect(parseHello([23, 3, 3, 0, 1, 0]) == .notTLS)
        #expect(parseHello([22, 2]) == .notTLS)
        #expect(parseHello([22, 4, 0]) == .notTLS)
        #expect(parseHello([]) == .needMore(total: 9))
        #expect(parseHello([22]) == .needMore(total: 9))
    }

    @Test("another handshake message is refused at its first byte")
    func otherMessages() {
        #expect(parseHello([22, 3, 1, 0, 10, 2]) == .malformed(.handshakeType(2)))
        #expect(parseHello([22, 3, 1, 0, 1, 0]) == .malformed(.handshakeType(0)))
    }

    @Test("records of no bytes, of too many, or of another type in between are refused")
    func brokenRecords() {
        #expect(parseHello([22, 3, 1, 0, 0]) == .malformed(.recordLength(0)))
        #expect(parseHello([22, 3, 1, 0x40, 1]) == .malformed(.recordLength(16385)))
        let first = Array(HelloBuilder.named("a.example").records(of: 20).prefix(25))
        #expect(parseHello(first + [22, 3, 3, 0, 0]) == .malformed(.recordLength(0)))
        #expect(parseHello(first + [21]) == .malformed(.recordInterrupted(type: 21)))
        #expect(parseHello(first + [22, 2]) == .malformed(.recordInterrupted(type: 22)))
    }

    @Test("a message that its records overrun is refused")
    func trailing() {
        let bytes = HelloBuilder.records(of: HelloBuilder.named("a.example").message + [0], fragment: 16384)
        #expect(parseHello(bytes) == .malformed(.trailingData))
    }

    @Test("the limit counts record headers, and is told as soon as the length is known")
    func limits() {
        var builder = HelloBuilder.named("a.example")
        builder.extensions?.append((21, [UInt8](repeating: 0, count: 4000)))
        let bytes = builder.records()
        #expect(parseHello(bytes, limit: bytes.count) != .tooLarge)
        #expect(parseHello(bytes, limit: bytes.count - 1) == .tooLarge)
        #expect(parseHello(bytes.prefix(9), limit: bytes.count - 1) == .tooLarge)
        #expect(parseHello(builder.records(of: 1), limit: 16384) == .tooLarge)
        #expect(parseHello([22, 3, 1, 0x40, 0]) == .tooLarge)
        #expect(parseHello([22, 3, 1, 1, 0, 1, 1, 0, 0]) == .tooLarge)
    }

    /// A record that is too long, with a message that is no hello; the same where the next record could be no part of one.
    @Test(
        "a hello that is too long is so however its stream was cut",
        arguments: [
            [22, 3, 1, 0x40, 0, 2, 0, 0, 0], [22, 3, 1, 0x3f, 0xf3, 1, 0, 0x40, 0], [22, 3, 1, 0, 1, 1, 23, 3, 3],
        ]
    )
    func tooLongInParts(stream: [UInt8]) {
        let limit = stream[3] == 0 ? 12 : 16384
        let decisions = (5...stream.count).map { parseHello(stream.prefix($0), limit: limit) }
        let first = decisions.firstIndex(of: .tooLarge) ?? decisions.endIndex
        #expect(first < decisions.endIndex)
        #expect(decisions[first...].allSatisfy { $0 == .tooLarge })
    }

    @Test("fields of the fixed part that do not fit are named")
    func fixedPart() {
        var builder = HelloBuilder()
        builder.session = [UInt8](repeating: 0, count: 33)
        #expect(parseHello(builder.records()) == .malformed(.field(.sessionID)))
        builder.session = []
        builder.suites = []
        #expect(parseHello(builder.records()) == .malformed(.field(.cipherSuites)))
        builder.suites = [1]
        builder.compression = []
        #expect(parseHello(builder.records()) == .malformed(.field(.compressionMethods)))
        #expect(parseHello([22, 3, 1, 0, 5, 1, 0, 0, 1, 3]) == .malformed(.field(.version)))
        #expect(parseHello([22, 3, 1, 0, 7, 1, 0, 0, 3, 3, 3, 0]) == .malformed(.field(.random)))
    }

    @Test("extensions that repeat, overrun, or break their definitions are named")
    func extensions() {
        var builder = HelloBuilder.named("a.example")
        builder.extensions?.append((0x3a3a, []))
        builder.extensions?.append((0x3a3a, []))
        #expect(parseHello(builder.records()) == .malformed(.duplicateExtension(0x3a3a)))
        builder.extensions = (0..<257).map { (type: UInt16($0) + 1000, content: []) }
        #expect(parseHello(builder.records()) == .malformed(.tooManyExtensions))
        let broken: [(UInt16, [UInt8])] = [
            (0, []), (0, [0, 9, 0, 0, 1, 65]), (0, [0, 4, 0, 0, 1, 65, 0]), (16, []), (16, [0, 0]), (16, [0, 1, 0]),
            (16, [0, 3, 5, 65, 65]), (43, []), (43, [0]), (43, [3, 3, 4, 3]), (43, [2, 3, 4, 0]), (0xfe0d, []),
        ]
        for (type, content) in broken {
            builder.extensions = [(type, content)]
            #expect(parseHello(builder.records()) == .malformed(.extensionContent(type)))
        }
    }

    @Test("an extension list that does not fill the hello is refused")
    func extensionList() {
        var builder = HelloBuilder()
        builder.extensions = nil
        for tail in [[0], [0, 1], [0, 0, 0], [0, 4, 0, 5, 0, 1], [0, 3, 0, 5, 0]] as [[UInt8]] {
            var message = builder.message + tail
            message[3] += UInt8(tail.count)
            #expect(parseHello(HelloBuilder.records(of: message, fragment: 16384)) == .malformed(.extensionList))
        }
    }

    @Test("20,000 random mutations and prefixes never trap, and never ask for less than they have")
    func mutations() {
        var random = SplitMix64(seed: 42)
        let seeds = [
            CapturedHello.python13, CapturedHello.curl, CapturedHello.openssl10,
            HelloBuilder.records(of: Array(CapturedHello.python12[5...]), fragment: 37),
        ]
        for _ in 0..<20_000 {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0...(random.next() % 6) {
                let position = Int(random.next() % UInt64(random.next() % 4 == 0 ? bytes.count : 80))
                switch random.next() % 4 {
                case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[position] = [0, 1, 0x7f, 0x80, 0xff][Int(random.next() % 5)]
                case 2: bytes.remove(at: position)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
                }
            }
            let given = bytes.prefix(Int(random.next() % UInt64(bytes.count + 1)))
            for part in [bytes[...], given] {
                switch parseHello(part, limit: 4096) {
                case .needMore(let total): #expect(total > part.count && total <= 4096)
                case .hello(let hello): #expect(hello.consumedBytes <= part.count)
                case .notTLS, .tooLarge, .malformed: break
                }
            }
        }
    }
}
