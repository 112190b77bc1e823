internal import AdminServer
internal import FoundationEssentials

extension HTTPResponse {
    /// A value as JSON with sorted keys, and a line feed.
    static func encoding(_ value: some Encodable) -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return HTTPResponse(
                contentType: "application/json", body: Array(try encoder.encode(value)) + [UInt8(ascii: "\n")])
        } catch {
            return .problem(500, "the answer cannot be written: \(error)")
        }
    }
}
