import EngineCore
import EngineModel
import Platform
import Primitives
import TestSupport

/// What an endpoint was told before anything else: a header of the PROXY protocol, read as its specification has it.
struct Told {
    let header: ProxyHeader
    /// How many bytes the first read gave.
    let firstRead: Int
    let stream: PlainClient
}

/// A server that expects a header of the PROXY protocol in front of everything.
final class ToldBackend: Sendable {
    private let server: PlainServer
    var port: UInt16 { server.port }

    init() throws { server = try PlainServer() }

    func accept(timeout: Duration = .seconds(10)) throws -> Told { try Told(server.accept(timeout: timeout)) }
}

extension Told {
    /// Takes the header, and nothing but it, from a stream.
    init(_ stream: PlainClient) throws {
        self.stream = stream
        var bytes = try stream.receive(max: 16)
        let isText = bytes.first == UInt8(ascii: "P")
        while !isText, bytes.count < 16 { bytes += try stream.receive(max: 16 - bytes.count) }
        if isText {
            while bytes.last != UInt8(ascii: "\n") { bytes += try stream.receive(exactly: 1) }
            firstRead = bytes.count
        } else {
            let length = Int(bytes[14]) << 8 | Int(bytes[15])
            let rest = length == 0 ? [] : try stream.receive(max: length)
            firstRead = 16 + rest.count
            bytes += rest
            if rest.count < length { bytes += try stream.receive(exactly: length - rest.count) }
        }
        let parsed = bytes.withUnsafeBytes { ProxyHeader.parse($0) }
        guard case .header(let header) = parsed, header.consumedBytes == bytes.count else {
            throw TestFailure("no header: \(parsed) of \(bytes)")
        }
        self.header = header
    }

    /// The values of all TLVs of a type.
    func values(_ type: UInt8) -> [[UInt8]] { header.tlvs.filter { $0.type == type }.map { Array($0.value) } }

    func text(_ type: UInt8) -> String? { values(type).first.map { String(decoding: $0, as: UTF8.self) } }

    /// Types in their order.
    var types: [UInt8] { header.tlvs.map(\.type) }
}

extension BackendConfiguration {
    func sending(_ version: ProxyProtocolSending.Version, _ fields: ProxyProtocolSending.Field...) -> Self {
        var copy = self
        copy.settings.proxyProtocol = ProxyProtocolSending(version: version, fields: fields)
        return copy
    }
}
