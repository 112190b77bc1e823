/// How many connections an endpoint may have under consistent hashing, so that a busy source does not drown it (Mirrokni, Thorup and
/// Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016).
public struct BoundedLoad: Hashable, Sendable {
    /// Of the mean, at least 100.
    public let percent: Int

    public init(percent: Int) { self.percent = max(100, percent) }

    /// Whether one more is within the bound of an endpoint with `active` connections of `total` in all, and a weight of `weight` of
    /// `sum`. Of several endpoints that these are totals of at least one has room.
    public func hasRoom(active: Int, total: Int, weight: Int, sum: Int) -> Bool {
        // active < ⌈percent × (total + 1) × weight ÷ (100 × sum)⌉, the new one being among the total.
        let bound = Double(percent) / 100 * Double(max(0, total) + 1) * Double(weight) / Double(max(1, sum))
        return Double(active) < bound
    }
}
