internal import Inspection

/// By what connections are sorted, and how many are wanted: the part of a query that is no filter.
struct ConnectionOrder: Sendable {
    static let keys = [
        "age", "idle", "bytes", "requestBytes", "responseBytes", "rate", "requestRate", "responseRate", "attempts",
        "port",
    ]
    static let limits = 1...50_000
    static let defaultLimit = 1000

    /// One of ``keys``.
    var key = "age"
    /// The smallest first.
    var isAscending = false
    var limit = ConnectionOrder.defaultLimit

    /// The number to sort by; what is not known counts as 0.
    func value(of view: ConnectionView) -> Int64 {
        let number: UInt64 =
            switch key {
            case "idle": UInt64(clamping: view.idleMilliseconds)
            case "bytes": view.requestBytes &+ view.responseBytes
            case "requestBytes": view.requestBytes
            case "responseBytes": view.responseBytes
            case "rate": (view.requestRate ?? 0) &+ (view.responseRate ?? 0)
            case "requestRate": view.requestRate ?? 0
            case "responseRate": view.responseRate ?? 0
            case "attempts": UInt64(clamping: view.attempts)
            case "port": UInt64(clamping: view.port ?? 0)
            default: UInt64(clamping: view.ageMilliseconds)
            }
        return Int64(clamping: number)
    }

    /// Whether the first is listed before the second. Total: equal ones stand by their ids.
    func precedes(_ left: ConnectionView, _ right: ConnectionView) -> Bool {
        let (first, second) = (value(of: left), value(of: right))
        if first != second { return isAscending == (first < second) }
        return (left.id.utf8.count, left.id) < (right.id.utf8.count, right.id)
    }
}

/// The first connections in an order, of however many are offered, without keeping them all.
struct ConnectionSelection: Sendable {
    let order: ConnectionOrder
    private(set) var total = 0
    private var kept: [ConnectionView] = []

    init(_ order: ConnectionOrder) { self.order = order }

    mutating func offer(_ view: ConnectionView) {
        total += 1
        kept.append(view)
        if kept.count >= 2 * order.limit + 1000 { cut() }
    }

    private mutating func cut() {
        kept.sort(by: order.precedes)
        kept.removeLast(max(0, kept.count - order.limit))
    }

    /// What was offered, as an answer.
    consuming func list() -> ConnectionList {
        cut()
        return ConnectionList(total: total, connections: kept)
    }
}
