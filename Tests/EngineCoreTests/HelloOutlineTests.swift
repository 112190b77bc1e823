import EngineCore
import Primitives
import TestSupport
import Testing

@Suite("Outline of a ClientHello")
struct HelloOutlineTests {
    private static func outline(of bytes: [UInt8]) -> HelloOutline? {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: HelloOutline.mostBytes, alignment: 8)
        defer { memory.deallocate() }
        let count = bytes.withUnsafeBytes { HelloOutline.write($0, to: memory) }
        return HelloOutline(UnsafeRawBufferPointer(start: memory, count: count))
    }

    private static func builder() -> HelloBuilder {
        var builder = HelloBuilder.named("a.example")
        builder.suites = [0x0a0a, 0x1301, 0xfafa, 0xc02f, 0x0a1a]
        builder.extensions = [
            (0x1a1a, []), (0, HelloBuilder.serverNames([(0, Array("a.example".utf8))])),
            (16, HelloBuilder.protocols(["h2", "http/1.1"])), (43, HelloBuilder.versions([0x2a2a, 0x0303, 0x0304])),
            (13, HelloBuilder.vector16([0x04, 0x03, 0x3a, 0x3a, 0x08, 0x04])), (0xff01, [0]),
        ]
        return builder
    }

    @Test("lists in the client's order, without GREASE, whatever records they come in", arguments: [1, 7, 100, 16384])
    func lists(fragment: Int) {
        let expected = HelloOutline(
            version: 0x0304, hasServerName: true,
            firstProtocol: .init(first: UInt8(ascii: "h"), last: UInt8(ascii: "2")),
            ciphers: [0x1301, 0xc02f, 0x0a1a], extensions: [0, 16, 43, 13, 0xff01], signatures: [0x0403, 0x0804])
        #expect(HelloOutlineTests.outline(of: HelloOutlineTests.builder().records(of: fragment)) == expected)
    }

    @Test("what a hello does not have")
    func bare() {
        var builder = HelloBuilder()
        (builder.version, builder.extensions, builder.suites) = (0x0302, nil, [0x0035])
        #expect(
            HelloOutlineTests.outline(of: builder.records())
                == HelloOutline(
                    version: 0x0302, hasServerName: false, firstProtocol: nil, ciphers: [0x0035], extensions: [],
                    signatures: []))
    }

    @Test("lists that are too long have no outline")
    func long() {
        var builder = HelloBuilder.named("a.example")
        builder.suites = (0..<160).map { 0x1000 + $0 }
        #expect(HelloOutlineTests.outline(of: builder.records())?.ciphers.count == 160)
        builder.suites.append(0x1fff)
        #expect(HelloOutlineTests.outline(of: builder.records()) == nil)
        builder.suites = [0x1301]
        builder.extensions = (0..<161).map { (0x2000 + $0, []) }
        #expect(HelloOutlineTests.outline(of: builder.records()) == nil)
        builder.extensions = [(13, HelloBuilder.vector16([UInt8](repeating: 4, count: 322)))]
        #expect(HelloOutlineTests.outline(of: builder.records()) == nil)
    }

    @Test(
        "hellos of real clients, with any byte changed: a value or nothing, never a trap",
        arguments: [1, 2] as [UInt64])
    func changed(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for hello in [CapturedHello.python13, CapturedHello.curl, CapturedHello.openssl10] {
            #expect(HelloOutlineTests.outline(of: hello) != nil)
            for _ in 0..<2000 {
                var bytes = hello
                for _ in 0...random.next() % 4 {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                _ = HelloOutlineTests.outline(of: bytes)
            }
        }
    }
}
