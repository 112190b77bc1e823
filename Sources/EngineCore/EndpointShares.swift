public import EngineModel

/// What an endpoint can do at a moment.
public enum EndpointUse: Hashable, Sendable {
    case usable
    case unusable
    /// Not usable, because nothing is known of it yet.
    case unchecked
}

/// What decides on the shares of a backend's endpoints besides how they stand: immutable, and the same for all workers.
public struct EndpointPolicy: Sendable {
    private let weights: [Int]
    private let preferences: [UInt8]
    /// Of each endpoint, as an index; the last one is not known.
    private let zoneIndices: [Int]
    private let zoneCount: Int
    /// Nil: no endpoint is in it, or it does not matter.
    private let ownZone: Int?
    private let zones: ZonePreference?
    private let slowStart: SlowStart?
    private let panicThreshold: Int

    /// - Parameters:
    ///   - weights: one for each endpoint, at least 0.
    ///   - preferences: parallel to them, lower ones first.
    ///   - zones: parallel to them; nil: not known.
    ///   - preference: nil: zones do not count.
    ///   - slowStart: nil: whoever joins gets its share at once.
    ///   - panicThreshold: per cent; with fewer usable all are used. 0: never.
    public init(
        weights: [Int], preferences: [UInt8], zones: [String?], preferring preference: ZonePreference?,
        slowStart: SlowStart?, panicThreshold: Int
    ) {
        self.weights = weights.map { max(0, $0) }
        self.preferences = preferences
        self.slowStart = slowStart
        self.panicThreshold = panicThreshold
        self.zones = preference
        let names = preference == nil ? [] : Set(zones.compactMap(\.self)).sorted()
        let indices = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
        zoneIndices = preference == nil ? [] : zones.map { $0.flatMap { indices[$0] } ?? names.count }
        zoneCount = names.count + 1
        ownZone = preference.flatMap { indices[$0.zone] }
    }

    /// The shares at `now` (milliseconds), by how each endpoint stands and when it joined or recovered (in milliseconds; 0: it has
    /// always been there).
    public func shares(at now: Int64, use: (Int) -> EndpointUse, start: (Int) -> Int64) -> EndpointShares {
        let uses = weights.indices.map { weights[$0] > 0 ? use($0) : .unusable }
        let usable = uses.count { $0 == .usable }
        let unchecked = uses.count { $0 == .unchecked }
        guard usable > 0 || unchecked == 0 else { return EndpointShares(nothingOf: weights, isWaiting: true) }
        // Those that nothing is known of speak neither for panic nor against it.
        let known = weights.count { $0 > 0 } - unchecked
        let panics = panicThreshold > 0 && known > 0 && usable * 100 < panicThreshold * known
        var members = weights.indices.filter { uses[$0] == .usable || panics && weights[$0] > 0 }
        guard !members.isEmpty else { return EndpointShares(nothingOf: weights, isWaiting: false) }
        if let first = members.lazy.map({ preferences[$0] }).min() { members.removeAll { preferences[$0] != first } }
        let factors = zoneFactors(members)
        var percents = [Int](repeating: 100, count: weights.count)
        var isWarming = false
        if let slowStart {
            for index in members {
                percents[index] = slowStart.percent(since: start(index), now: now)
                if percents[index] < 100 { isWarming = true }
            }
        }
        return EndpointShares(
            weights, members: members, factors: factors.map { all in { all[zoneIndices[$0]] } }, percents: percents,
            isPanicking: panics, nextStep: isWarming ? slowStart?.nextStep(after: now) : nil)
    }

    /// Of all endpoints that are usable and not out, whatever their zone, one of the lowest preference; nil: there is none. For
    /// retries.
    public func nearest(
        random: UInt64, use: (Int) -> EndpointUse, active: (Int) -> Int, isOut: (Int) -> Bool
    ) -> Int? {
        let rest = weights.indices.filter { weights[$0] > 0 && use($0) == .usable && !isOut($0) }
        guard let first = rest.lazy.map({ preferences[$0] }).min() else { return nil }
        let members = rest.filter { preferences[$0] == first }
        let picker = EndpointPicker(weights: members.map { weights[$0] })
        return picker.pick(random: random, active: { active(members[$0]) }).map { members[$0] }
    }

    private func zoneFactors(_ members: [Int]) -> [Double]? {
        guard let zones, let ownZone else { return nil }
        var sums = [Double](repeating: 0, count: zoneCount)
        var counts = [Int](repeating: 0, count: zoneCount)
        for index in members {
            sums[zoneIndices[index]] += Double(weights[index])
            counts[zoneIndices[index]] += 1
        }
        return ZoneShares(zones, weights: sums, counts: counts, own: ownZone).factors
    }
}

/// Which endpoints are chosen from at a moment, and how much of the connections each gets.
public struct EndpointShares: Sendable {
    /// Of each endpoint, relative to the others; 0: it is not chosen.
    public let weights: [Int]
    /// By these weights.
    public let picker: EndpointPicker
    /// Their sum.
    public let sum: Int
    /// Nobody is usable, but of some nothing is known yet.
    public let isWaiting: Bool
    /// So few are usable that all are used.
    public let isPanicking: Bool
    /// When the shares are others even if nothing happens, in milliseconds; nil: never.
    public let nextStep: Int64?
    /// How much of what its own weight would give each gets, of 2³²; `UInt32.max`: all of it.
    private let parts: [UInt32]

    public var isEmpty: Bool { picker.isEmpty }

    /// Whether an endpoint that was found by its own weight is taken: always, never, or for a part of all lots.
    public func accepts(_ index: Int, lot: UInt32) -> Bool {
        let part = parts[index]
        return part == .max || lot < part
    }

    fileprivate init(nothingOf all: [Int], isWaiting: Bool) {
        weights = all.map { _ in 0 }
        parts = all.map { _ in 0 }
        picker = EndpointPicker(weights: [])
        (sum, isPanicking, nextStep) = (0, false, nil)
        self.isWaiting = isWaiting
    }

    fileprivate init(
        _ all: [Int], members: [Int], factors: ((Int) -> Double)?, percents: [Int], isPanicking: Bool, nextStep: Int64?
    ) {
        var weights = all.map { _ in 0 }
        var shares = all.map { _ in 0.0 }
        var largest = 0.0
        let isExact = factors == nil && nextStep == nil
        for index in members {
            shares[index] = Double(percents[index]) / 100 * (factors?(index) ?? 1)
            largest = max(largest, shares[index])
            let weight = isExact ? all[index] : Int((Double(all[index]) * shares[index] * 10_000).rounded())
            weights[index] = shares[index] > 0 ? max(1, weight) : 0
        }
        parts = shares.map { share in
            share >= largest ? .max : UInt32(clamping: Int64((share / largest * 0x1p32).rounded()))
        }
        self.weights = weights
        sum = weights.reduce(0, +)
        picker = EndpointPicker(weights: weights)
        (isWaiting, self.isPanicking, self.nextStep) = (false, isPanicking, nextStep)
    }
}
