/// What a listener speaks. Open: implementations add their own.
public struct ProtocolType: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    public static let tcp = Self(rawValue: "TCP")
    public static let tls = Self(rawValue: "TLS")
    public static let http = Self(rawValue: "HTTP")
    public static let https = Self(rawValue: "HTTPS")
    public static let udp = Self(rawValue: "UDP")
}
