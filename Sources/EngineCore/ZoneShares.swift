internal import EngineModel

/// How connections are spread over zones where those of one's own go first (``ZonePreference``).
///
/// Each gateway assumes that every zone that has endpoints sends as much as the others. A zone whose endpoints are at least its share
/// of all keeps what it sends. One with fewer keeps what its endpoints can take, and sends the rest to those zones that have
/// more than their share, in proportion to what they have beyond it: so all endpoints get the same load for their weight.
struct ZoneShares {
    /// By zone: times which the weight of its endpoints counts; nil: zones do not count.
    let factors: [Double]?

    /// - Parameters:
    ///   - preference: what was asked for.
    ///   - weights: of each zone's endpoints together. The last one is of endpoints whose zone is not known.
    ///   - counts: parallel to them, how many endpoints that are.
    ///   - own: this process's zone.
    init(_ preference: ZonePreference, weights: [Double], counts: [Int], own: Int) {
        let total = weights.reduce(0, +)
        guard total > 0, weights[own] > 0, counts.reduce(0, +) >= preference.minimumEndpoints else {
            factors = nil
            return
        }
        let looking = Double(min(max(preference.percentage, 0), 100)) / 100
        let shares =
            preference.forcedMinimum.map { counts[own] >= $0 } == true
            ? weights.indices.map { $0 == own ? 1 : 0 }
            : ZoneShares.proportional(weights.map { $0 / total }, own: own)
        factors = weights.indices.map { zone in
            weights[zone] > 0 ? looking * shares[zone] * total / weights[zone] + 1 - looking : 0
        }
    }

    /// Of each zone, by what part of all endpoints' weight it has.
    private static func proportional(_ parts: [Double], own: Int) -> [Double] {
        let unknown = parts.count - 1
        let zones = parts.indices.filter { $0 != unknown && parts[$0] > 0 }.count
        let sent = 1 / Double(max(1, zones))
        guard own != unknown, parts[own] < sent else { return parts.indices.map { $0 == own ? 1 : 0 } }
        let spare = parts.indices.map { zone in
            zone == own ? 0 : max(0, parts[zone] - (zone == unknown || parts[zone] == 0 ? 0 : sent))
        }
        let kept = parts[own] / sent
        let all = spare.reduce(0, +)
        return parts.indices.map { $0 == own ? kept : (1 - kept) * spare[$0] / all }
    }
}
