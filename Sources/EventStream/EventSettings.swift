/// Where events go, and where they wait.
public struct EventSettings: Hashable, Sendable {
    public enum Sink: Hashable, Sendable {
        /// `https://…`, or `http://…`. Batches are posted there.
        case url(String)
        /// A line each is appended.
        case file(path: String)
    }

    public var sink: Sink
    /// The directory of the spool, which outlives the process; nil: it is in memory.
    public var spool: String?
    /// The most that waits, in bytes.
    public var spoolSize = 16 << 20
    /// A file of authorities that the server's certificate is verified against, in PEM; nil: the system's.
    public var authorities: String?
    /// A file with a bearer token, read for each delivery.
    public var tokenFile: String?
    /// What sources of events begin with: a URI reference without the gateway.
    public var source = "/sluice"
    /// One string for all requests, such as `sluice/1.0`.
    public var userAgent = "sluice"

    public init(sink: Sink) { self.sink = sink }
}

/// Why events cannot be sent as asked.
public struct EventStreamFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
