import EngineCore
import Testing

/// Parses from memory of exactly the right size, so that a sanitizer sees one byte too many.
func parseHello(_ bytes: some Collection<UInt8>, limit: Int = 16384) -> ClientHelloParse {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return ClientHello.parse(UnsafeRawBufferPointer(memory), limit: limit)
}

@Suite("ClientHello", .timeLimit(.minutes(5)))
struct ClientHelloTests {
    @Test("hellos of real clients are read")
    func captured() {
        let python = CapturedHello.python13
        #expect(
            parseHello(python)
                == .hello(
                    ClientHello(
                        serverName: "www.example.com", alpnProtocols: ["h2", "http/1.1"], supportsTLS13: true,
                        consumedBytes: 517)))
        #expect(
            parseHello(CapturedHello.python12)
                == .hello(
                    ClientHello(serverName: "db.shop.example.org", consumedBytes: CapturedHello.python12.count)))
        #expect(
            parseHello(CapturedHello.pythonWithoutName)
                == .hello(ClientHello(supportsTLS13: true, consumedBytes: CapturedHello.pythonWithoutName.count)))
        #expect(
            parseHello(CapturedHello.openssl13)
                == .hello(
                    ClientHello(
                        serverName: "s-client.example.net", alpnProtocols: ["postgresql"], supportsTLS13: true,
                        consumedBytes: CapturedHello.openssl13.count)))
        #expect(
            parseHello(CapturedHello.openssl10)
                == .hello(ClientHello(legacyVersion: 0x0301, consumedBytes: CapturedHello.openssl10.count)))
        #expect(
            parseHello(CapturedHello.curl)
                == .hello(
                    ClientHello(
                        serverName: "curl.example.com", alpnProtocols: ["h2", "http/1.1"], supportsTLS13: true,
                        consumedBytes: CapturedHello.curl.count)))
        #expect(
            parseHello(CapturedHello.node)
                == .hello(
                    ClientHello(
                        serverName: "node.example.com", alpnProtocols: ["h2"], supportsTLS13: true,
                        consumedBytes: CapturedHello.node.count)))
    }

    @Test("bytes after the hello's record are left alone")
    func following() {
        let hello = CapturedHello.python13
        #expect(parseHello(hello) == parseHello(hello + [20, 3, 3, 0, 1, 1, 23, 3]))
    }

    @Test("every truncation asks for more, and never for less than is missing", arguments: [1, 3, 64, 300, 16384])
    func truncations(fragment: Int) {
        let bytes = HelloBuilder.records(of: Array(CapturedHello.python13[5...]), fragment: fragment)
        for length in 0..<bytes.count {
            guard case .needMore(let total) = parseHello(bytes.prefix(length)) else {
                Issue.record("\(length) of \(bytes.count) bytes: \(parseHello(bytes.prefix(length)))")
                continue
            }
            #expect(total > length && total <= bytes.count)
        }
        guard case .hello(let hello) = parseHello(bytes) else {
            Issue.record("\(parseHello(bytes))")
            return
        }
        #expect(hello.serverName == "www.example.com" && hello.consumedBytes == bytes.count)
    }

    @Test("asking only for what is said to be missing reads any hello in few steps", arguments: [5, 64, 16384])
    func feeding(fragment: Int) {
        let bytes = HelloBuilder.records(of: Array(CapturedHello.python13[5...]), fragment: fragment)
        var length = 0
        var steps = 0
        while case .needMore(let total) = parseHello(bytes.prefix(length)) {
            length = total
            steps += 1
        }
        #expect(length == bytes.count)
        #expect(steps <= 2 + 512 / fragment + 1)
    }

    @Test("every split into two records gives the same hello")
    func splits() {
        let message = Array(CapturedHello.node[5...])
        guard case .hello(var expected) = parseHello(CapturedHello.node) else {
            Issue.record("the captured hello does not parse")
            return
        }
        expected.consumedBytes += 5
        for split in 1..<message.count {
            let parts = [message.prefix(split), message.suffix(from: split)].map(Array.init)
            let bytes = parts.flatMap { HelloBuilder.records(of: $0, fragment: 16384, version: 0x0303) }
            #expect(parseHello(bytes) == .hello(expected))
        }
    }

    @Test(
        "record versions 3.0 to 3.4 and hello versions 3.0 to 3.3 are read",
        arguments: [0x0300, 0x0301, 0x0303, 0x0304])
    func versions(record: UInt16) {
        for version in 0x0300...0x0303 as ClosedRange<UInt16> {
            var builder = HelloBuilder.named("a.example")
            (builder.version, builder.recordVersion) = (version, record)
            guard case .hello(let hello) = parseHello(builder.records()) else {
                Issue.record("version \(version)")
                continue
            }
            #expect(hello.legacyVersion == version && hello.serverName == "a.example" && !hello.supportsTLS13)
        }
        var builder = HelloBuilder()
        builder.version = 0x0203
        #expect(parseHello(builder.records()) == .malformed(.version(0x0203)))
    }

    @Test("GREASE, a large key share and Encrypted ClientHello do not disturb")
    func modernBrowser() {
        var builder = HelloBuilder.named("public.example")
        builder.extensions = [
            (0x1a1a, []), (0, HelloBuilder.serverNames([(0, Array("Public.Example.".utf8))])),
            (16, HelloBuilder.protocols(["\u{a}\u{a}", "h2"])), (43, HelloBuilder.versions([0x2a2a, 0x0304, 0x0303])),
            (51, [UInt8](repeating: 3, count: 1260)), (0xfe0d, [0] + [UInt8](repeating: 4, count: 250)), (0xfafa, [0]),
        ]
        for fragment in [500, 1400, 16384] {
            let bytes = builder.records(of: fragment)
            let hello = ClientHello(
                serverName: "public.example", alpnProtocols: ["\u{a}\u{a}", "h2"], supportsTLS13: true,
                hasEncryptedClientHello: true, consumedBytes: bytes.count)
            #expect(parseHello(bytes) == .hello(hello))
        }
        builder.extensions = [(0xfe0d, [1])]
        #expect(parseHello(builder.records()) == .hello(ClientHello(consumedBytes: builder.records().count)))
    }

    @Test("a hello may lack extensions")
    func bare() {
        var builder = HelloBuilder()
        builder.extensions = nil
        builder.session = []
        #expect(parseHello(builder.records()) == .hello(ClientHello(consumedBytes: builder.records().count)))
        builder.extensions = []
        #expect(parseHello(builder.records()) == .hello(ClientHello(consumedBytes: builder.records().count)))
    }

    @Test(
        "names that are not host names are set aside",
        arguments: [
            "10.0.0.1", "::1", "a..b", "-a.example", "a-.example", "a_b.example", "*.example", "ü.example", ".", "a b",
            String(repeating: "a", count: 64), "x\0.example",
        ])
    func invalidNames(name: String) {
        let bytes = HelloBuilder.named(name).records()
        #expect(parseHello(bytes) == .hello(ClientHello(hasInvalidServerName: true, consumedBytes: bytes.count)))
    }

    @Test("names are folded", arguments: [("A.Example", "a.example"), ("a1.example.", "a1.example"), ("x-1", "x-1")])
    func foldedNames(given: String, read: String) {
        let bytes = HelloBuilder.named(given).records()
        #expect(parseHello(bytes) == .hello(ClientHello(serverName: read, consumedBytes: bytes.count)))
    }

    @Test("names of other types are passed over, a second host name is an error")
    func nameLists() {
        var builder = HelloBuilder()
        let name = Array("a.example".utf8)
        builder.extensions = [(0, HelloBuilder.serverNames([(9, [1, 2]), (0, name), (9, [3])]))]
        #expect(
            parseHello(builder.records())
                == .hello(ClientHello(serverName: "a.example", consumedBytes: builder.records().count)))
        for names in [[], [(0, name), (0, name)], [(0, [])]] as [[(UInt8, [UInt8])]] {
            builder.extensions = [(0, HelloBuilder.serverNames(names))]
            #expect(parseHello(builder.records()) == .malformed(.extensionContent(0)))
        }
    }
}
