internal import EngineModel
internal import Platform
internal import Primitives
internal import Resolver

/// The endpoints of one backend while they are collected from its configuration and the answers for its names.
struct EndpointCollection {
    /// Addresses that one name's SRV records lead to; more are left out.
    static let mostOfServices = 256

    private struct Found {
        let address: StreamAddress
        var weight: Int
        var preference: UInt8
        let zone: String?
        /// Of the other family, from the same name.
        var alternate: StreamAddress?
    }

    private let backend: BackendConfiguration
    private let names: NameAnswers
    /// Weights of all endpoints are multiplied by it, so that those of SRV records can be parts of one.
    private let scale: Int
    private let hasNames: Bool
    private var found: [Found] = []
    private var places: [StreamAddress: Int] = [:]
    private var failures = 0
    private var answer = ResolvedEndpoints()

    init(_ backend: BackendConfiguration, _ names: NameAnswers) {
        (self.backend, self.names) = (backend, names)
        let hasServices = backend.endpoints.contains { if case .records = $0.address { true } else { false } }
        scale = hasServices ? ServiceShares.unit : 1
        hasNames = backend.endpoints.contains { $0.address.isName }
        found.reserveCapacity(backend.endpoints.count)
    }

    mutating func add(_ endpoint: EndpointConfiguration) {
        switch endpoint.address {
        case .ip(let address): append(.ip(address), endpoint, endpoint.weight * scale)
        case .unix(let path): append(.unix(path: path), endpoint, endpoint.weight * scale)
        case .name(let name, let port):
            switch addresses(NameKey(name: name, settings: backend.settings)) {
            case .pending: answer.isPending = true
            case .failed(let sentence): fail("\(name): \(sentence)")
            case .found(let addresses): append(addresses, port, endpoint, endpoint.weight * scale)
            }
        case .records(let name): addServices(name, endpoint)
        }
    }

    private mutating func fail(_ problem: String) {
        failures += 1
        answer.problems.append(problem)
    }

    // MARK: Addresses

    private enum Addresses {
        case pending
        case failed(String)
        /// At least one.
        case found([IPAddress])
    }

    /// Whoever answers for a name may say something else each time: every answer is looked at.
    private mutating func addresses(_ key: NameKey) -> Addresses {
        switch names.answer(key) {
        case .pending, .services: return .pending
        case .failed(let sentence): return .failed(sentence)
        case .addresses(let all):
            var refused: [String] = []
            let usable = all.filter { ip in
                guard let kind = backend.settings.refusedAddresses.refusal(of: ip) else { return true }
                refused.append("\(key.name) is \(ip) (\(kind))")
                return false
            }
            answer.refused += refused
            guard usable.isEmpty else { return .found(usable) }
            return .failed("it leads only to addresses that are refused: \(refused.joined(separator: ", "))")
        }
    }

    /// Adds the addresses of one name, each with `weight`.
    private mutating func append(
        _ addresses: [IPAddress], _ port: UInt16, _ endpoint: EndpointConfiguration, _ weight: Int
    ) {
        let ipv4 = addresses.filter(\.isV4)
        let ipv6 = addresses.filter { !$0.isV4 }
        let isDual = backend.settings.dnsFamily == .ipv4AndIPv6 && !ipv4.isEmpty && !ipv6.isEmpty
        for (own, others) in [(ipv4, ipv6), (ipv6, ipv4)] {
            for (index, ip) in own.enumerated() {
                let alternate = isDual ? SocketAddress(others[index % others.count], port) : nil
                append(.ip(SocketAddress(ip, port)), endpoint, weight, alternate.map { .ip($0) })
            }
        }
    }

    /// An address that several names lead to is one endpoint, with the weights of those of the lowest preference.
    private mutating func append(
        _ address: StreamAddress, _ endpoint: EndpointConfiguration, _ weight: Int, _ alternate: StreamAddress? = nil
    ) {
        if hasNames {
            if let place = places[address] { return merge(place, endpoint, weight, alternate) }
            places[address] = found.count
        }
        found.append(
            Found(
                address: address, weight: weight, preference: endpoint.preference, zone: endpoint.zone,
                alternate: alternate))
    }

    private mutating func merge(
        _ place: Int, _ endpoint: EndpointConfiguration, _ weight: Int, _ alternate: StreamAddress?
    ) {
        found[place].alternate = found[place].alternate ?? alternate
        if endpoint.preference == found[place].preference { found[place].weight += weight }
        guard endpoint.preference < found[place].preference else { return }
        (found[place].weight, found[place].preference) = (weight, endpoint.preference)
    }

    // MARK: SRV records

    private mutating func addServices(_ name: String, _ endpoint: EndpointConfiguration) {
        let key = NameKey(name: name, settings: backend.settings, wantsServices: true)
        switch names.answer(key) {
        case .pending, .addresses: answer.isPending = true
        case .failed(let sentence): fail("SRV \(name): \(sentence)")
        case .services(let records):
            guard !records.isEmpty else {
                return answer.problems.append("SRV \(name): its records say that the service is not available")
            }
            addTargets(of: records, key, endpoint)
        }
    }

    private mutating func addTargets(of records: [ServiceRecord], _ key: NameKey, _ endpoint: EndpointConfiguration) {
        var room = EndpointCollection.mostOfServices
        var problems: [String] = []
        var isPending = false
        for (record, share) in zip(records, ServiceShares(records).shares) {
            switch addresses(key.target(record.target)) {
            case .pending: isPending = true
            case .failed(let sentence): problems.append("\(record.target): \(sentence)")
            case .found(let all):
                let used = Array(all.prefix(room))
                room -= used.count
                answer.leftOut += all.count - used.count
                guard !used.isEmpty else { continue }
                var own = endpoint
                own.preference = UInt8(clamping: Int(endpoint.preference) + share.rank)
                let weight = endpoint.weight * share.weight / used.count
                append(used, record.port, own, endpoint.weight > 0 ? max(1, weight) : 0)
            }
        }
        if isPending { answer.isPending = true }
        if room == EndpointCollection.mostOfServices, !problems.isEmpty, !isPending {
            fail("SRV \(key.name): none of its targets has an address: \(problems.joined(separator: ", "))")
        }
    }

    // MARK: The end

    consuming func resolved(state: (StreamAddress) -> EndpointState) -> ResolvedEndpoints {
        var answer = answer
        answer.endpoints = found.map { state($0.address) }
        answer.weights = found.map(\.weight)
        answer.preferences = found.map(\.preference)
        answer.zones = found.map(\.zone)
        if found.contains(where: { $0.alternate != nil }) {
            answer.alternates = found.map { entry in
                guard let alternate = entry.alternate, let place = places[alternate], found[place].weight > 0 else {
                    return -1
                }
                return Int32(place)
            }
        }
        answer.hasFailed = found.isEmpty && (failures > 0 || !answer.refused.isEmpty)
        return answer
    }
}

/// What SRV records get of their name's share (RFC 2782).
struct ServiceShares {
    /// What a record of mean weight gets.
    static let unit = 100
    private static let most = 1000 * unit

    /// Parallel to the records.
    private(set) var shares: [(weight: Int, rank: Int)] = []

    /// `records`: sorted by priority. Their ranks count up from 0; weights are relative to the mean of their priority, so that
    /// one of weight 0 gets very little beside others, and its part where all are 0.
    init(_ records: [ServiceRecord]) {
        var rank = 0
        var start = records.startIndex
        while start < records.endIndex {
            let end = records[start...].firstIndex { $0.priority != records[start].priority } ?? records.endIndex
            let sum = records[start..<end].reduce(0) { $0 + Int($1.weight) }
            for record in records[start..<end] {
                let part = sum == 0 ? ServiceShares.unit : Int(record.weight) * ServiceShares.unit * (end - start) / sum
                shares.append((min(max(1, part), ServiceShares.most), rank))
            }
            rank += 1
            start = end
        }
    }
}
