/// Makes ClientHellos, proper and improper.
struct HelloBuilder {
    var version: UInt16 = 0x0303
    var recordVersion: UInt16 = 0x0301
    var session = [UInt8](repeating: 7, count: 32)
    var suites: [UInt16] = [0x0a0a, 0x1301, 0x1302, 0xc02f]
    var compression: [UInt8] = [0]
    /// Nil: a hello without a list of extensions.
    var extensions: [(type: UInt16, content: [UInt8])]? = []

    static func named(_ name: String) -> HelloBuilder {
        var builder = HelloBuilder()
        builder.extensions = [(0, serverNames([(0, Array(name.utf8))]))]
        return builder
    }

    static func serverNames(_ names: [(type: UInt8, name: [UInt8])]) -> [UInt8] {
        vector16(names.flatMap { [$0.type] + vector16($0.name) })
    }

    static func protocols(_ names: [String]) -> [UInt8] { vector16(names.flatMap { vector8(Array($0.utf8)) }) }

    static func versions(_ versions: [UInt16]) -> [UInt8] { vector8(versions.flatMap(big)) }

    static func vector8(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count)] + bytes }
    static func vector16(_ bytes: [UInt8]) -> [UInt8] { big(UInt16(bytes.count)) + bytes }
    static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    /// The handshake message with its header.
    var message: [UInt8] {
        var body = HelloBuilder.big(version) + [UInt8](repeating: 9, count: 32)
        body += HelloBuilder.vector8(session)
        body += HelloBuilder.vector16(suites.flatMap(HelloBuilder.big))
        body += HelloBuilder.vector8(compression)
        if let extensions {
            body += HelloBuilder.vector16(
                extensions.flatMap { HelloBuilder.big($0.type) + HelloBuilder.vector16($0.content) })
        }
        return [1, UInt8(body.count >> 16), UInt8(body.count >> 8 & 0xff), UInt8(body.count & 0xff)] + body
    }

    /// The message in records of at most `fragment` bytes.
    func records(of fragment: Int = 16384) -> [UInt8] {
        HelloBuilder.records(of: message, fragment: fragment, version: recordVersion)
    }

    static func records(of message: [UInt8], fragment: Int, version: UInt16 = 0x0301) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: message.count, by: fragment) {
            bytes.append(22)
            bytes += big(version)
            bytes += vector16(Array(message[start..<min(start + fragment, message.count)]))
        }
        return bytes
    }
}
