public import Primitives

/// What a PROXY protocol header says of the connection it stands before
/// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, §2).
public struct ProxyHeader: Equatable, Sendable {
    public enum Version: UInt8, Hashable, Sendable {
        /// One line of text (§2.1).
        case v1 = 1
        /// Binary (§2.2).
        case v2 = 2
    }

    public enum Command: UInt8, Hashable, Sendable {
        /// The sender's own connection, such as a health check; the addresses are the connection's.
        case local = 0
        /// A connection passed on for somebody else.
        case proxy = 1
    }

    /// Address family and transport as v2 encodes them in one byte; every other value is refused.
    public enum Transport: UInt8, Hashable, Sendable {
        case unspecified = 0x00
        case tcp4 = 0x11
        case udp4 = 0x12
        case tcp6 = 0x21
        case udp6 = 0x22
        case unixStream = 0x31
        case unixDatagram = 0x32

        /// Bytes of both addresses, and ports where there are any.
        var addressLength: Int {
            switch self {
            case .unspecified: 0
            case .tcp4, .udp4: 12
            case .tcp6, .udp6: 36
            case .unixStream, .unixDatagram: 216
            }
        }
    }

    public var version: Version
    public var command: Command
    /// `unspecified` for LOCAL, whatever its header says, and for v1's UNKNOWN.
    public var transport: Transport
    /// Who the client is; an IPv4-mapped address as IPv4. Nil: the peer of the connection itself is (LOCAL, UNKNOWN, or a
    /// transport that is not TCP). Nil exactly when ``destination`` is.
    public var source: SocketAddress?
    /// Where the client connected to.
    public var destination: SocketAddress?
    /// What follows the addresses in v2, in the order sent.
    public var tlvs: ProxyTLVs
    /// Bytes of the header: what to take off the socket.
    public var consumedBytes: Int

    /// A transport of nil stands for what the addresses make it: TCP over IPv4 when both are IPv4, TCP over IPv6 when one
    /// is not, `unspecified` without addresses.
    public init(
        version: Version, command: Command = .proxy, transport: Transport? = nil, source: SocketAddress? = nil,
        destination: SocketAddress? = nil, tlvs: ProxyTLVs = ProxyTLVs(), consumedBytes: Int = 0
    ) {
        self.version = version
        self.command = command
        self.transport = .unspecified
        self.source = source
        self.destination = destination
        self.tlvs = tlvs
        self.consumedBytes = consumedBytes
        self.transport = transport ?? writtenTransport
    }

    /// Reads the header at the start of a stream.
    ///
    /// - Parameters:
    ///   - bytes: the stream from its first byte, as much as has arrived; only read during the call.
    ///   - limit: the most bytes that a header may take.
    /// - Returns: a value, never a trap, for any bytes. A decision is made at the earliest byte that allows it, and more
    ///   bytes never change it.
    public static func parse(_ bytes: UnsafeRawBufferPointer, limit: Int = 4096) -> ProxyHeaderParse {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(max(limit, 0)))
        guard let first = bytes.first else { return need(1, limit) }
        let isText = first == ProxySignature.text[0]
        let length = isText ? ProxySignature.text.count : ProxySignature.binary.count
        let matching = isText ? ProxySignature.text.matching(bytes) : ProxySignature.binary.matching(bytes)
        // A plain client may have no more to say than these few bytes: each next one can tell.
        guard matching == length else {
            return matching < bytes.count ? .notProxy(matching: matching) : need(matching + 1, limit)
        }
        return isText ? parseText(bytes, limit) : parseBinary(bytes, limit)
    }

    static func need(_ total: Int, _ limit: Int) -> ProxyHeaderParse {
        total > limit ? .tooLarge : .needMore(total: total)
    }
}

/// What headers begin with; the first byte tells which.
enum ProxySignature {
    /// `PROXY`
    static let text: InlineArray<5, UInt8> = [0x50, 0x52, 0x4f, 0x58, 0x59]
    /// CR LF CR LF NUL CR LF `QUIT` LF
    static let binary: InlineArray<12, UInt8> = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
}

extension InlineArray where Element == UInt8 {
    /// How many bytes both begin with.
    fileprivate func matching(_ bytes: UnsafeRawBufferPointer) -> Int {
        var index = 0
        while index < Swift.min(bytes.count, count), bytes[index] == self[index] { index += 1 }
        return index
    }
}

/// What the first bytes of a stream turned out to be.
public enum ProxyHeaderParse: Equatable, Sendable {
    /// At least `total` bytes from the stream's start are needed before parsing again: always more than were given,
    /// never more than the limit. While a plain client is not ruled out it is one more byte, so that waiting for as many
    /// never keeps a short plain message from being noticed.
    case needMore(total: Int)
    case header(ProxyHeader)
    /// The stream cannot begin with a header. `matching`: how many of its first bytes are those of a signature. None:
    /// plainly another protocol. Some: what began like a header, or a client whose protocol begins with the same bytes.
    case notProxy(matching: Int)
    /// A whole signature, and then something that breaks the protocol.
    case malformed(ProxyHeaderProblem)
    /// The header is longer than the limit.
    case tooLarge
}

/// The rule of the PROXY protocol that a header broke.
public enum ProxyHeaderProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// v1: no CRLF within 107 bytes.
    case lineLength
    /// v1: not exactly one space, or CRLF, where it belongs.
    case separator
    /// v1: neither TCP4, TCP6 nor UNKNOWN.
    case family
    /// v1: an address that is none of its family.
    case address
    /// v1: a port that is no decimal number from 0 to 65535 without leading zeros.
    case port
    /// v2: the version is not 2.
    case version(UInt8)
    /// v2: neither LOCAL nor PROXY.
    case command(UInt8)
    /// v2: a combination of address family and transport that is not defined.
    case transport(UInt8)
    /// v2: shorter than its addresses.
    case length(Int)
    /// v2: the TLVs do not fill the rest of the header.
    case tlvList
    /// v2: a TLV whose length its type forbids, or a second checksum.
    case tlvContent(UInt8)
    /// v2: the CRC32C is not the header's.
    case checksum

    public var description: String {
        switch self {
        case .lineLength: "no end of line within 107 bytes"
        case .separator: "a field that does not end as it must"
        case .family: "a family other than TCP4, TCP6 and UNKNOWN"
        case .address: "an address that is none of its family"
        case .port: "a port that is no number from 0 to 65535"
        case .version(let version): "version \(version)"
        case .command(let command): "command \(command)"
        case .transport(let byte): "family and transport 0x\(String(byte, radix: 16))"
        case .length(let length): "\(length) bytes, too few for the addresses"
        case .tlvList: "TLVs that do not fit"
        case .tlvContent(let type): "TLV 0x\(String(type, radix: 16)) breaks its definition"
        case .checksum: "a wrong CRC32C"
        }
    }
}
