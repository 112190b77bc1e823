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

    @Test("a hello as it comes over the wire")
    func wire() throws {
        let (bytes, expected) = (CapturedClientHello.bytes, CapturedClientHello.ja4)
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

    /// The line of a note, if it is one.
    private func line(_ lines: inout AccessLines, _ ring: AccessRing) throws -> AccessFields {
        lines.removeAll()
        let isFound = lines.take(from: ring, worker: 1)
        #expect(isFound)
        return try AccessFields(String(String(decoding: lines.bytes, as: UTF8.self).dropLast()))
    }

    private func note(_ id: UInt64, slot: UInt32, in ring: AccessRing) {
        let draft = AccessDraft(at: ring.place())
        (draft.record.pointee.id, draft.record.pointee.slot) = (id, slot)
        _ = ring.append(draft.base, draft.finish())
    }

    @Test("a line has the fingerprint of its own connection's hello, not of one that had the slot before")
    func slots() throws {
        let ring = AccessRing(size: 64 << 10)
        var lines = AccessLines(AccessFormats())
        NoteWriter.append(CapturedClientHello.bytes, of: 7, slot: 3, to: ring)
        NoteWriter.append([22, 3, 1], of: 8, slot: 0, to: ring)
        while lines.take(from: ring, worker: 1) {}
        #expect(ring.isEmpty)
        let count = lines.bytes.count
        #expect(count == 0)
        for _ in 0..<2 { note(7, slot: 3, in: ring) }
        for id in [8, 9] as [UInt64] { note(id, slot: 0, in: ring) }
        note(9, slot: 3, in: ring)
        note(9, slot: 70_000, in: ring)
        for _ in 0..<2 { #expect(try line(&lines, ring).text(.ja4) == CapturedClientHello.ja4) }
        for _ in 0..<4 { #expect(try line(&lines, ring).text(.ja4) == nil) }
        #expect(ring.isEmpty)
        NoteWriter.append(CapturedClientHello.bytes, of: 9, slot: 3, to: ring)
        while lines.take(from: ring, worker: 1) {}
        note(9, slot: 3, in: ring)
        #expect(try line(&lines, ring).text(.ja4) == CapturedClientHello.ja4)
        note(7, slot: 3, in: ring)
        #expect(try line(&lines, ring).text(.ja4) == nil)
    }

    @Test("a hello that finds no room is no lost line; what is longer than a peek is not taken")
    func full() {
        let ring = AccessRing(size: 4 << 10)
        for id in 0..<40 { NoteWriter.append(CapturedClientHello.bytes, of: UInt64(id), slot: id, to: ring) }
        #expect(ring.dropped == 0)
        var lines = AccessLines(AccessFormats())
        var count = 0
        while lines.take(from: ring) { count += 1 }
        #expect(count > 10 && count < 40)
        NoteWriter.append([UInt8](repeating: 1, count: Worker.helloCapacity + 1), of: 1, slot: 1, to: ring)
        #expect(ring.isEmpty)
        #expect(MemoryLayout<HelloNote>.offset(of: \.event) == MemoryLayout<AccessRecord>.offset(of: \.event))
    }
}
