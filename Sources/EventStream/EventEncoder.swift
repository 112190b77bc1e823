internal import EngineModel
internal import Observability

/// Makes events of connections: CloudEvents 1.0 in JSON, a line each.
struct EventEncoder {
    /// Told apart from those of other processes, and of this one before a restart.
    private let prefix: String
    private let source: [UInt8]
    /// Lines of this turn.
    private(set) var lines: [UInt8] = []
    private(set) var count = 0

    static let type = "dev.sluice.connection.closed.v1"

    /// `start`: of the process, nanoseconds since 1970. `source` holds nothing that JSON escapes.
    init(source: String, start: Int64, token: UInt32) {
        self.source = Array(source.utf8)
        prefix = "\(String(start / 1_000_000, radix: 16))-\(String(token, radix: 16))-"
    }

    mutating func removeAll() {
        lines.removeAll(keepingCapacity: lines.capacity <= 4 << 20)
        count = 0
    }

    mutating func append(_ connection: ClosedConnection) {
        add(#"{"specversion":"1.0","type":""#)
        add(EventEncoder.type)
        add(#"","source":""#)
        lines += source
        add("/gateways/")
        lines += connection.gateway
        add(#"","id":""#)
        lines += prefix.utf8
        lines += String(connection.id, radix: 16).utf8
        add(#"","time":""#)
        Timestamp.append(connection.endedAt, to: &lines)
        if !connection.route.isEmpty {
            add(#"","subject":""#)
            lines += connection.routeKind
            add("/")
            lines += connection.route
        }
        add(#"","datacontenttype":"application/json","data":"#)
        lines += connection.fields
        add("}\n")
        count += 1
    }

    private mutating func add(_ text: StaticString) {
        text.withUTF8Buffer { lines.append(contentsOf: $0) }
    }

    private mutating func add(_ text: String) { lines += text.utf8 }
}
