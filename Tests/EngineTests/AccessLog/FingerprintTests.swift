@testable import Engine
import EngineCore
import EngineModel
import Primitives
import TestSupport
import Testing

@Suite("Access log: JA4")
struct FingerprintTests {
    private func text(_ hello: HelloOutline) -> String { String(decoding: Fingerprint.ja4(hello), as: UTF8.self) }

    private static func numbers(_ list: String) -> [UInt16] {
        list.split(separator: ",").compactMap { UInt16($0, radix: 16) }
    }

    /// The example of the description that JA4 has (its raw form is
    /// `t13d1516h2_002f,…,cca9_0005,…,ff01_0403,…,0601`), in another order than the sorted one.
    private static let example = HelloOutline(
        version: 0x0304, hasServerName: true, firstProtocol: .init(first: UInt8(ascii: "h"), last: UInt8(ascii: "2")),
        ciphers: numbers("1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"),
        extensions: numbers("001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"),
        signatures: numbers("0403,0804,0401,0503,0805,0501,0806,0601"))

    @Test("the published example")
    func published() {
        #expect(text(FingerprintTests.example) == "t13d1516h2_8daaf6152771_e5627efa2ab1")
        var other = FingerprintTests.example
        other.extensions.reverse()
        other.ciphers.reverse()
        #expect(text(other) == "t13d1516h2_8daaf6152771_e5627efa2ab1")
    }

    @Test("what is missing, what is counted to 99 only, and protocols that are no letters")
    func edges() {
        let bare = HelloOutline(
            version: 0x0301, hasServerName: false, firstProtocol: nil, ciphers: [], extensions: [], signatures: [])
        #expect(text(bare) == "t10i000000_000000000000_000000000000")
        var many = bare
        many.ciphers = (0..<150).map { 0x1000 + $0 }
        many.extensions = [0x002b]
        many.version = 0x7777
        many.firstProtocol = .init(first: 0xab, last: 0xcd)
        // SHA-256 of "002b".
        #expect(text(many).hasPrefix("t00i9901ad_"))
        #expect(text(many).count == text(bare).count)
        var unsigned = FingerprintTests.example
        unsigned.signatures = []
        #expect(text(unsigned) != text(FingerprintTests.example))
    }

    /// Hellos of real clients; the fingerprints were made by another program, from the same bytes.
    @Test(
        "hellos as they come over the wire",
        arguments: [
            (
                """
                16030100b9010000b5030379193d74beabe4252da909eb185288be248d12ebb1fec3f51915660ff092f70600001ec02cc030
                c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100006e00000018001600001364622e73686f702e657861
                6d706c652e6f7267000b000403000102000a000c000a001d0017001e00190018002300000016000000170000000d002a0028
                040305030603080708080809080a080b080408050806040105010601030303010302040205020602
                """, "t12d150700_d68b136fe8d9_e7e480e5a997"
            )
        ])
    func wire(hex: String, expected: String) throws {
        let digits = hex.filter(\.isHexDigit)
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { offset in
            UInt8(digits.dropFirst(offset).prefix(2), radix: 16)
        }
        var cache = FingerprintCache()
        for _ in 0..<2 {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: HelloOutline.mostBytes, alignment: 8)
            defer { memory.deallocate() }
            let count = bytes.withUnsafeBytes { HelloOutline.write($0, to: memory) }
            let outline = UnsafeRawBufferPointer(start: memory, count: count)
            #expect(String(decoding: cache.text(of: outline), as: UTF8.self) == expected)
        }
        // A part of it is none.
        for length in 0..<bytes.count {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: HelloOutline.mostBytes, alignment: 8)
            defer { memory.deallocate() }
            #expect(bytes.prefix(length).withUnsafeBytes { HelloOutline.write($0, to: memory) } == 0)
        }
    }

    @Test("programs that are met again have what was made for them, and others theirs")
    func cached() throws {
        var cache = FingerprintCache()
        var random = SplitMix64(seed: 5)
        var known: [(bytes: [UInt8], text: String)] = []
        for _ in 0..<600 {
            let counts = (1 + Int(random.next() % 20), Int(random.next() % 20), Int(random.next() % 20))
            var bytes: [UInt8] = [4, 3, 1, UInt8(counts.0), 0, 0, UInt8(counts.1), UInt8(counts.2)]
            for _ in 0..<2 * (counts.0 + counts.1 + counts.2) { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
            let outline = try #require(bytes.withUnsafeBytes { HelloOutline($0) })
            known.append((bytes, text(outline)))
        }
        for _ in 0..<3 {
            for (bytes, text) in known {
                let found = bytes.withUnsafeBytes { cache.text(of: $0) }
                #expect(String(decoding: found, as: UTF8.self) == text)
            }
        }
    }
}
