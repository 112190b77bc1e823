import EngineCore
import Testing

@Suite("Printable bytes")
struct PrintableBytesTests {
    @Test("what cannot be printed is escaped, what is too long is cut")
    func escapes() {
        #expect(printable(Array("+OK\r\n\t\"a\\b\"".utf8)) == #"+OK\r\n\t\"a\\b\""#)
        #expect(printable([0, 0x1f, 0x7f, 0x80, 0xff]) == #"\x00\x1f\x7f\x80\xff"#)
        #expect(printable(Array("abcdef".utf8), limit: 3) == "abc…")
        #expect(printable(Array("abc".utf8), limit: 3) == "abc")
        #expect(printable([]) == "")
    }
}
