/// A text to be found in a stream, prepared so that every byte of the stream is looked at once, however the two are made
/// (Knuth, Morris and Pratt). At least one byte.
public struct ByteNeedle: Hashable, Sendable {
    public let bytes: [UInt8]
    /// For each beginning of the text: how long the longest end of it is that is a shorter beginning, too.
    private let borders: [Int32]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var borders = [Int32](repeating: 0, count: bytes.count)
        var length = 0
        for index in bytes.indices.dropFirst() {
            while length > 0, bytes[index] != bytes[length] { length = Int(borders[length - 1]) }
            if bytes[index] == bytes[length] { length += 1 }
            borders[index] = Int32(length)
        }
        self.borders = borders
    }

    /// How far a search has come.
    public struct Search: Hashable, Sendable {
        /// As many bytes of the text as the stream ends with so far.
        fileprivate var matched = 0
        public init() {}
    }

    /// Goes on with the bytes that follow those which `search` has seen. Where the first match ends among them; nil: not there.
    public func firstEnd(in next: ArraySlice<UInt8>, _ search: inout Search) -> Int? {
        guard !bytes.isEmpty else { return next.startIndex }
        for index in next.indices {
            let byte = next[index]
            while search.matched > 0, bytes[search.matched] != byte {
                search.matched = Int(borders[search.matched - 1])
            }
            if bytes[search.matched] == byte { search.matched += 1 }
            if search.matched == bytes.count { return index + 1 }
        }
        return nil
    }
}
