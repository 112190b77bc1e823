internal import Inspection
internal import Observability

extension ListenerTrafficNode {
    /// `3 open, 120 accepted, 2 rejected`.
    var text: String {
        let refused = rejected.values.reduce(0, &+)
        return "\(active) open, \(accepted) accepted" + (refused > 0 ? ", \(refused) rejected" : "")
    }
}

extension RouteTrafficNode {
    var text: String {
        let setup = setups > 0 ? ", \(milliseconds(setupNanoseconds, of: setups)) to set up" : ""
        return "\(active) open of \(opened), \(bytes(requestBytes)) in, \(bytes(responseBytes)) out\(setup)"
    }
}

extension BackendTrafficNode {
    var text: String {
        let failures = failed.values.reduce(0, &+)
        var text = "\(active) open"
        if pending > 0 { text += ", \(pending) waiting" }
        if connected > 0 { text += ", \(milliseconds(connectNanoseconds, of: connected)) to connect" }
        if failures > 0 { text += ", \(failures) failed" }
        return text
    }
}

extension CertificateNode {
    /// As the alerts have it: two weeks, two days.
    func mark(at now: Int64) -> StatusMark {
        let days = (notAfter - now) / 86_400
        return now >= notAfter || days < 2 ? .bad : days < 14 ? .warning : .good
    }

    func end(at now: Int64) -> String {
        var date: [UInt8] = []
        Timestamp.append(min(max(notAfter, 0), 9_000_000_000) * 1_000_000_000, to: &date)
        let day = String(decoding: date.prefix(10), as: UTF8.self)
        let days = (notAfter - now) / 86_400
        if now >= notAfter { return "expired on \(day)" }
        return days == 0 ? "expires within a day" : "expires on \(day), in \(counted(Int(days), "day"))"
    }
}

/// `1 route`, `2 routes`.
func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }

/// With one decimal, of the sum in nanoseconds of so many.
private func milliseconds(_ sum: UInt64, of count: UInt64) -> String {
    "\((Double(sum) / Double(count) / 1e5).rounded() / 10) ms"
}

/// With one decimal from a kilobyte on.
func bytes(_ count: UInt64) -> String {
    var (value, unit) = (Double(count), 0)
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    return unit == 0 ? "\(count) B" : "\((value * 10).rounded() / 10) \(units[unit])"
}
