/// An IP address and a port.
public struct SocketAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var ip: IPAddress
    /// 0–65535; 0 asks the kernel for a free one where an address is bound.
    public var port: UInt16

    public init(_ ip: IPAddress, _ port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// Parses `1.2.3.4:80` or `[2001:db8::1]:80`.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
            guard let ip = IPAddress(host), !ip.isV4 else { return nil }
            self.init(ip, port)
        } else {
            guard let ip = IPAddress(host), ip.isV4 else { return nil }
            self.init(ip, port)
        }
    }

    public var description: String { ip.isV4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }

    public static func < (left: SocketAddress, right: SocketAddress) -> Bool {
        (left.ip, left.port) < (right.ip, right.port)
    }
}
