import Testing

/// That what all readers of a stream's start are held to can fail.
@Suite("Readers of a stream's first bytes")
struct StreamStartTests {
    private func holds(_ text: String, _ read: (UnsafeRawBufferPointer) -> StartReading<Int>) -> Bool {
        (try? Array(text.utf8).withUnsafeBytes { try requireCutIndependence(of: $0, limit: 8, read) }) != nil
    }

    @Test("one whose bytes decide keeps it")
    func sound() {
        #expect(holds("abcdefgh") { $0.count < 4 ? .needMore(total: 4) : .decided(Int($0[3])) })
        #expect(holds("abc") { $0.count < 4 ? .needMore(total: 4) : .decided(Int($0[3])) })
    }

    @Test("one that counts what has come is found")
    func counting() { #expect(!holds("abcdefgh") { $0.count < 4 ? .needMore(total: 4) : .decided($0.count) }) }

    @Test("one that says something else before what it asked for has come is found")
    func early() {
        #expect(!holds("abcdefgh") { $0.count < 3 ? .needMore(total: 4) : .decided($0.count == 3 ? 9 : 7) })
    }

    @Test("one that asks for what is there, or for more than may be, is found", arguments: [2, 9])
    func asking(total: Int) { #expect(!holds("abcdefgh") { $0.count < 8 ? .needMore(total: total) : .decided(7) }) }
}
