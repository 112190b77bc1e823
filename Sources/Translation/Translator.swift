public import EngineModel
public import KubernetesAPI

/// ``translate(_:options:)`` for one snapshot after another. It remembers the last translation, so that what changes most often,
/// a few routes, Services and EndpointSlices among thousands, costs little; the results are the same. Of one thread.
public final class Translator {
    private let options: TranslationOptions
    private var workings: Workings?
    /// When a certificate begins or ceases to be valid.
    private var validityChange: Int64?
    /// What is known of policies that may be invalid the next time.
    public private(set) var memory = PolicyMemory()
    /// How often everything was translated, and how often only what had changed.
    public private(set) var counts = Counts()
    /// Whether the last result has another configuration than the one before; nil: nobody looked.
    public private(set) var configurationDiffers: Bool?
    /// Where the last result's configuration may differ from the one before; nil: anywhere.
    public private(set) var change: ConfigurationChange?

    /// Translations, by how much was looked at.
    public struct Counts: Hashable, Sendable {
        public var whole = 0
        public var carriedOn = 0
    }

    public init(options: TranslationOptions) { self.options = options }

    /// What ``translate(_:options:)`` says. `touched`: what may differ from the snapshot that was translated before; nil: that
    /// is looked for.
    public func translate(_ snapshot: ClusterSnapshot, touched: TouchedObjects? = nil) -> TranslationResult {
        if let workings, isSameTime(snapshot.asOf, workings),
            let change = SnapshotChange(from: workings.snapshot, to: snapshot, touched: touched),
            workings.canTake(change, snapshot), case let differing = workings.take(change, snapshot), !workings.isStale
        {
            (configurationDiffers, self.change) = (differing != nil, differing)
            counts.carriedOn += 1
            return workings.result
        }
        let isSame = workings?.snapshot.endpointSlices == snapshot.endpointSlices
        let slices = isSame ? workings?.slices : nil
        // Dropped before the new one is made: two of them need not be in memory.
        workings = nil
        let next = Workings(
            snapshot, options, slices ?? SliceIndex(snapshot.endpointSlices, standalone: options.standalone), memory)
        workings = next
        memory.clients.learn(next.clientPolicies.index.policies)
        memory.backends.learn(next.backendPolicies.index.policies)
        validityChange = snapshot.nextValidityChange
        (configurationDiffers, change) = (nil, nil)
        counts.whole += 1
        return next.result
    }

    /// Whether no moment passed at which the same objects mean something else.
    private func isSameTime(_ now: Int64, _ workings: Workings) -> Bool {
        let moments = [workings.result.reconsiderAt, validityChange].compactMap { $0 }
        return now >= workings.snapshot.asOf && moments.allSatisfy { now < $0 }
    }
}
