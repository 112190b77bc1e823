/// What is told of a connection when it ends. The bytes are there during the call only.
public struct ClosedConnection {
    /// Unique in the process.
    public let id: UInt64
    /// Nanoseconds since 1970.
    public let endedAt: Int64
    /// `namespace/name`.
    public let gateway: UnsafeRawBufferPointer
    /// `TCPRoute` or `TLSRoute`, and `namespace/name`; both empty where no route was chosen.
    public let routeKind: UnsafeRawBufferPointer
    public let route: UnsafeRawBufferPointer
    /// A JSON object with the fields of the access log that the connection has, on one line.
    public let fields: UnsafeRawBufferPointer

    public init(
        id: UInt64, endedAt: Int64, gateway: UnsafeRawBufferPointer, routeKind: UnsafeRawBufferPointer,
        route: UnsafeRawBufferPointer, fields: UnsafeRawBufferPointer
    ) {
        (self.id, self.endedAt, self.gateway) = (id, endedAt, gateway)
        (self.routeKind, self.route, self.fields) = (routeKind, route, fields)
    }
}

/// Takes what is told of every connection that ends, whatever the access log has of it. Called by one thread, which writes
/// the access log too: it may write to a local file, and waits for nothing else.
public protocol ClosedConnectionOutput: AnyObject, Sendable {
    func take(_ connection: ClosedConnection)
    /// After the last of those that came together.
    func endTurn()
    /// So many ended of which nothing could be told.
    func miss(_ count: UInt64)
}
