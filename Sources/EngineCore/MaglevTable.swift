/// Which endpoint a key goes to: the same for every order of endpoints, and for nearly all keys also when one comes or goes
/// (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, §3.4). Each endpoint has an order of
/// its own of all places, and in turns they take the first one of theirs that is free, heavier ones in more turns.
///
/// Endpoints that cannot be used are passed over by walking on from the key's place, so only their own keys move, and to all of the
/// others by their weights. Memory: one byte for each place with up to 256 endpoints, two with up to 65,536, else four.
public struct MaglevTable: Sendable {
    private enum Places: Sendable {
        case narrow([UInt8])
        case medium([UInt16])
        case wide([UInt32])
    }

    /// How many places a key looks at. Longer walks are for keys whose endpoints nearly all are out.
    static let longestWalk = 4096
    public static let largestSize = 5_000_011
    private let places: Places
    /// Of the endpoints' identities; 0: without weight.
    private let hashes: [UInt64]
    /// Of places; 0 without an endpoint.
    public let size: Int

    /// Takes about size × ln(size) steps, whatever the number of endpoints.
    ///
    /// - Parameters:
    ///   - identities: one for each endpoint, unique: what stays the same on other replicas and after a restart.
    ///   - weights: parallel to them; endpoints without weight get no place.
    ///   - size: 2–5000011; where it is no prime, the next one is taken.
    public init(identities: [[UInt8]], weights: [Int], size: Int) {
        let members = zip(identities, weights).enumerated().filter { $1.1 > 0 }.map {
            Member($0.offset, identity: $0.element.0, weight: $0.element.1)
        }
        var hashes = [UInt64](repeating: 0, count: identities.count)
        for member in members { hashes[member.index] = max(1, member.hash) }
        self.hashes = hashes
        guard !members.isEmpty else {
            (places, self.size) = (.narrow([]), 0)
            return
        }
        let size = MaglevTable.prime(from: min(max(2, size), MaglevTable.largestSize))
        self.size = size
        // Neither the order of the list nor where an endpoint stands in it may count.
        let order = members.sorted { $0.precedes($1) }
        if identities.count <= 1 << 8 {
            places = .narrow(MaglevTable.fill(order, size))
        } else if identities.count <= 1 << 16 {
            places = .medium(MaglevTable.fill(order, size))
        } else {
            places = .wide(MaglevTable.fill(order, size))
        }
    }

    private struct Member {
        let index: Int
        let identity: [UInt8]
        let weight: Int
        let hash: UInt64

        init(_ index: Int, identity: [UInt8], weight: Int) {
            (self.index, self.identity, self.weight) = (index, identity, weight)
            hash = StableHash.hash(identity)
        }

        func precedes(_ other: Member) -> Bool {
            hash == other.hash ? identity.lexicographicallyPrecedes(other.identity) : hash < other.hash
        }
    }

    /// Where an endpoint is in its order of places.
    private struct Walker {
        var place: Int
        let step: Int
        /// Grows by the weight each round; the heaviest weight buys a turn. In the first round everybody has one.
        var credit: Int
        let weight: Int
        let index: Int
    }

    private static func fill<Index: FixedWidthInteger>(_ order: [Member], _ size: Int) -> [Index] {
        let heaviest = order.reduce(1) { max($0, $1.weight) }
        var walkers = order.map { member in
            Walker(
                place: Int(member.hash % UInt64(size)),
                step: Int(StableHash.hash(member.identity, seed: 1) % UInt64(size - 1)) + 1,
                credit: heaviest - member.weight, weight: member.weight, index: member.index)
        }
        var places = [Index](repeating: 0, count: size)
        // A bit for each place: nearly all of the time goes into asking them.
        var taken = [UInt64](repeating: 0, count: size / 64 + 1)
        var filled = 0
        while true {
            for current in walkers.indices {
                walkers[current].credit += walkers[current].weight
                guard walkers[current].credit >= heaviest else { continue }
                walkers[current].credit -= heaviest
                // The size is a prime: the steps lead to every place.
                let step = walkers[current].step
                var place = walkers[current].place
                while taken[place &>> 6] & (1 &<< UInt64(place & 63)) != 0 {
                    place &+= step
                    if place >= size { place &-= size }
                }
                taken[place &>> 6] |= 1 &<< UInt64(place & 63)
                places[place] = Index(truncatingIfNeeded: walkers[current].index)
                walkers[current].place = place
                filled += 1
                if filled == size { return places }
            }
        }
    }

    private static func prime(from number: Int) -> Int {
        var candidate = number
        while (2...).lazy.prefix(while: { $0 * $0 <= candidate }).contains(where: { candidate % $0 == 0 }) {
            candidate += 1
        }
        return candidate
    }

    /// The endpoint at a place.
    public subscript(place: Int) -> Int {
        switch places {
        case .narrow(let places): Int(places[place])
        case .medium(let places): Int(places[place])
        case .wide(let places): Int(places[place])
        }
    }

    /// Where a key's walk begins.
    public func home(of key: UInt64) -> Int { Int(key.multipliedFullWidth(by: UInt64(size)).high) }

    /// The first endpoint from the key's place on that is accepted; nil: none is. Whoever is asked gets a lot that is the same whenever
    /// this key looks at this place.
    public func pick(key: UInt64, accepts: (_ endpoint: Int, _ lot: UInt32) -> Bool) -> Int? {
        guard size > 0 else { return nil }
        var place = home(of: key)
        // A step of the key's own: what stands beside an endpoint's places follows from its order, and would inherit more than its share.
        let step = size > 2 ? Int(StableHash.hash(key, 0, seed: 4) % UInt64(size - 1)) + 1 : 1
        for _ in 0..<min(size, MaglevTable.longestWalk) {
            let endpoint = self[place]
            let lot = UInt32(truncatingIfNeeded: StableHash.hash(key, UInt64(place), seed: 2))
            if accepts(endpoint, lot) { return endpoint }
            place += step
            if place >= size { place -= size }
        }
        return favourite(of: key, accepts)
    }

    /// Where hardly any endpoint is left, or there are more endpoints than places: the one with the highest number of its own for
    /// this key (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998).
    private func favourite(of key: UInt64, _ accepts: (Int, UInt32) -> Bool) -> Int? {
        var best: (number: UInt64, endpoint: Int)?
        for endpoint in hashes.indices where hashes[endpoint] != 0 && accepts(endpoint, 0) {
            let number = StableHash.hash(key, hashes[endpoint], seed: 3)
            if number >= best?.number ?? 0 { best = (number, endpoint) }
        }
        return best?.endpoint
    }
}
