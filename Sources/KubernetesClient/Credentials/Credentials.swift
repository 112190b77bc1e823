internal import HTTPClient

/// What a request needs beside its address: made from a ``ClientConfiguration`` at one moment.
struct Credentials: Sendable {
    /// Differs where anything else here does.
    var generation: UInt64
    /// Authorization, and for whom we speak.
    var headers: [HTTPHeader]
    var trust: HTTPClientOptions.Trust
    var identity: HTTPClientOptions.Identity?
}

/// What an exec plugin printed.
struct PluginCredentials: Hashable, Sendable {
    var token: String?
    var certificate: [UInt8]?
    var privateKey: [UInt8]?
    /// Seconds since 1970; nil: they last.
    var expires: Int64?
}
