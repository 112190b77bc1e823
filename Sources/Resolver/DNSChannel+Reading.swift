internal import CCares
internal import Primitives

// What answers say.

extension DNSChannel.Question {
    /// `message`: nil where the query failed with `status`.
    func read(_ message: UnsafeBufferPointer<UInt8>?, status: Int32) -> (DNSChannel.Answer.Content, LookupResult) {
        switch self {
        case .ipv4, .ipv6:
            guard let message else { return failure(status) }
            return readAddresses(message)
        case .services:
            guard let message else { return failure(status) }
            return readServices(message)
        }
    }

    private func readAddresses(_ message: UnsafeBufferPointer<UInt8>) -> (DNSChannel.Answer.Content, LookupResult) {
        let capacity = AnswerSection(message).count(of: UInt16(rawValue))
        guard capacity > 0 else { return failure(SLUICE_ARES_ENODATA) }
        let (bytes, length) = (message.baseAddress, Int32(clamping: message.count))
        var ttls = [Int32](repeating: 0, count: capacity)
        var raw = [UInt8](repeating: 0, count: self == .ipv6 ? capacity * 16 : 0)
        var words = [UInt32](repeating: 0, count: self == .ipv4 ? capacity : 0)
        let count =
            self == .ipv6
            ? sluice_ares_parse_v6(bytes, length, &raw, &ttls, Int32(capacity))
            : sluice_ares_parse_v4(bytes, length, &words, &ttls, Int32(capacity))
        guard count > 0 else { return failure(count == 0 ? SLUICE_ARES_ENODATA : -count) }
        let addresses = (0..<Int(count)).map { index -> IPAddress in
            guard self == .ipv6 else { return .v4(words[index]) }
            let halves = [0, 8].map { start in
                raw[(16 * index + start)..<(16 * index + start + 8)].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            }
            return .v6(high: halves[0], low: halves[1])
        }
        let ttl = Int(max(0, ttls[..<Int(count)].min() ?? 0))
        return (.addresses(.addresses(addresses, ttl: ttl), isIPv6: self == .ipv6), .success)
    }

    private func readServices(_ message: UnsafeBufferPointer<UInt8>) -> (DNSChannel.Answer.Content, LookupResult) {
        var records: [ServiceRecord] = []
        let status = withUnsafeMutablePointer(to: &records) { records in
            sluice_ares_parse_srv(
                message.baseAddress, Int32(clamping: message.count),
                { records, host, priority, weight, port in
                    guard let records, let host else { return }
                    let target = String(cString: host).lowercased()
                    records.assumingMemoryBound(to: [ServiceRecord].self).pointee.append(
                        ServiceRecord(priority: priority, weight: weight, target: target, port: port))
                }, records)
        }
        guard status == 0 else { return failure(-status) }
        guard !records.isEmpty else { return failure(SLUICE_ARES_ENODATA) }
        let ttl = AnswerSection(message).timeToLive(of: UInt16(rawValue)) ?? 0
        // The root as target: the service is decidedly not there (RFC 2782). Port 0 leads nowhere either.
        let useful = records.filter { !$0.target.isEmpty && $0.target != "." && $0.port > 0 }
        return (.services(.records(useful, ttl: ttl)), .success)
    }

    private func failure(_ status: Int32) -> (DNSChannel.Answer.Content, LookupResult) {
        let (sentence, result) = DNSChannel.describe(status, self)
        let isNone = result == .noData || result == .noSuchName
        switch self {
        case .services: return (.services(.failed(sentence)), result)
        case .ipv4, .ipv6:
            return (.addresses(isNone ? .none(sentence) : .failed(sentence), isIPv6: self == .ipv6), result)
        }
    }
}

extension DNSChannel {
    fileprivate static func describe(_ status: Int32, _ question: Question) -> (String, LookupResult) {
        switch status {
        case SLUICE_ARES_ENODATA where question == .services: ("the name has no SRV records", .noData)
        case SLUICE_ARES_ENODATA: ("the name has no address of the wanted kind", .noData)
        case SLUICE_ARES_ENOTFOUND: ("the name does not exist", .noSuchName)
        // c-ares says so when every server refused, failed (SERVFAIL) or could not be reached.
        case SLUICE_ARES_ECONNREFUSED: ("no DNS server gave a usable answer", .failure)
        case SLUICE_ARES_ETIMEOUT: ("no DNS server answered in time", .timeout)
        default: (sentence(status), .failure)
        }
    }
}
