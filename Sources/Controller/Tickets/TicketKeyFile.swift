internal import EngineModel
internal import FoundationEssentials
internal import Platform

/// A file of ticket keys, for replicas without an API server: one key a line, 80 bytes in base64; the first one seals, all of them
/// open. Empty lines and those that begin with `#` say nothing.
struct TicketKeyFile {
    /// Far more than anybody rotates.
    static let mostKeys = 16

    let ring: TicketKeyRing

    init(reading path: String) throws(TicketSecretProblem) {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try readFile(path, limit: 1 << 16)
        } catch {
            throw TicketSecretProblem(description: "\(path): \(error)")
        }
        do throws(TicketSecretProblem) {
            try self.init(bytes)
        } catch {
            throw TicketSecretProblem(description: "\(path): \(error)")
        }
    }

    /// Problems name lines, and nothing of what they hold.
    init(_ bytes: [UInt8]) throws(TicketSecretProblem) {
        var keys: [TicketKey] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }, as: UTF8.self)
            if text.isEmpty || text.hasPrefix("#") { continue }
            guard let data = Data(base64Encoded: text), let key = TicketKey(bytes: Array(data)) else {
                throw TicketSecretProblem(
                    description: "line \(index + 1) is not \(TicketKey.byteCount) bytes in base64")
            }
            guard !keys.contains(where: { $0.name == key.name }) else {
                throw TicketSecretProblem(description: "line \(index + 1): its first 16 bytes are those of another key")
            }
            keys.append(key)
        }
        guard (1...TicketKeyFile.mostKeys).contains(keys.count) else {
            throw TicketSecretProblem(
                description: "there are \(keys.count) keys; needed are 1 to \(TicketKeyFile.mostKeys)")
        }
        ring = TicketKeyRing(keys: keys, sealing: 0)
    }
}
