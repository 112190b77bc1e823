public import KubernetesAPI
internal import EngineModel

/// ``translate(_:options:)`` for one snapshot after another. It remembers the last one, so that what changes most often, the
/// endpoints of a few Services among thousands, costs little; the results are the same. A value of one thread.
public struct Translator: Sendable {
    private struct Memory: Sendable {
        var snapshot: ClusterSnapshot
        var slices: SliceIndex
        var result: TranslationResult
        /// When a certificate begins or ceases to be valid.
        var validityChange: Int64?
    }

    private let options: TranslationOptions
    private var memory: Memory?

    public init(options: TranslationOptions) { self.options = options }

    /// What ``translate(_:options:)`` says.
    public mutating func translate(_ snapshot: ClusterSnapshot) -> TranslationResult {
        if let changes = sliceChanges(snapshot) { return take(changes, snapshot) }
        let isSame = memory?.snapshot.endpointSlices == snapshot.endpointSlices
        let slices = isSame ? memory?.slices : nil
        // Dropped before the new one is made: it would only be copied.
        memory = nil
        let index = slices ?? SliceIndex(snapshot.endpointSlices)
        let result = Translation.translate(snapshot, options, index)
        memory = Memory(
            snapshot: snapshot, slices: index, result: result, validityChange: snapshot.nextValidityChange)
        return result
    }

    private struct SliceChange {
        let key: ObjectKey
        let old: EndpointSlice?
        let new: EndpointSlice?
    }

    /// The slices that changed, where nothing else did and they say nothing but endpoints; nil: translate anew.
    private func sliceChanges(_ snapshot: ClusterSnapshot) -> [SliceChange]? {
        guard let memory, isSameTime(snapshot.asOf, memory) else { return nil }
        var others = snapshot
        (others.endpointSlices, others.asOf) = (memory.snapshot.endpointSlices, memory.snapshot.asOf)
        guard others == memory.snapshot else { return nil }
        let (old, new) = (memory.snapshot.endpointSlices, snapshot.endpointSlices)
        var changes: [SliceChange] = []
        var kept = 0
        for (key, slice) in new {
            let before = old[key]
            if before != nil { kept += 1 }
            if before != slice { changes.append(SliceChange(key: key, old: before, new: slice)) }
        }
        if kept < old.count {
            for (key, slice) in old where new[key] == nil {
                changes.append(SliceChange(key: key, old: slice, new: nil))
            }
        }
        let areOrdinary = changes.allSatisfy { change in
            [change.old, change.new].allSatisfy { $0.map { $0.isOrdinary(in: change.key.namespace) } ?? true }
        }
        return areOrdinary ? changes : nil
    }

    /// Whether no moment passed at which the same objects mean something else.
    private func isSameTime(_ now: Int64, _ memory: Memory) -> Bool {
        let moments = [memory.result.reconsiderAt, memory.validityChange].compactMap { $0 }
        return now >= memory.snapshot.asOf && moments.allSatisfy { now < $0 }
    }

    private mutating func take(_ changes: [SliceChange], _ snapshot: ClusterSnapshot) -> TranslationResult {
        guard var memory = self.memory else { return Translation.translate(snapshot, options: options) }
        self.memory = nil
        var services: Set<ObjectKey> = []
        for change in changes {
            memory.slices.replace(change.key, change.old, with: change.new)
            for slice in [change.old, change.new] {
                if let service = slice?.service(in: change.key.namespace) { services.insert(service) }
            }
        }
        for key in services {
            guard let service = snapshot.services[key], service.spec.type != "ExternalName" else { continue }
            memory.result.configuration.backends.update(key, service, memory.slices)
        }
        memory.snapshot = snapshot
        self.memory = memory
        return memory.result
    }
}

extension EndpointSlice {
    /// Whether it says nothing but the endpoints of a Service: no condition and no notice speaks of it.
    fileprivate func isOrdinary(in namespace: String) -> Bool {
        addressType != "FQDN" && service(in: namespace) != nil
    }
}
