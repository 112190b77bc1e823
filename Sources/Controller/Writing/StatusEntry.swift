internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// What is known of one object's status, and how far writing it has got.
struct StatusEntry {
    /// What it shall say; nil: the object is not ours.
    var desired: DesiredStatus?
    /// Whether it was ours since this process has run: then what we wrote is there to be taken back.
    var wasOurs = false
    /// As the watch shows it; nil: it shows none.
    var observed: ObservedStatus?
    /// As the API server answered, where the watch has not shown that yet.
    private var answered: (status: ObservedStatus, until: MonotonicTime)?
    var phase = Phase.idle
    /// Something changed while a request was on its way.
    var isStale = false
    /// Requests in a row that did not succeed.
    var failures = 0
    /// The API server refused what was sent; only something else is tried before the long wait is over.
    var isRefused = false
    /// What is known of the object is too old to write from.
    var needsRead = false
    /// Writes of the same desired status: beyond the first few, somebody else keeps changing what we write.
    var repeats = 0
    var lastWrite: MonotonicTime?
    /// Not written again before: the answer to ``repeats``.
    var notBefore: MonotonicTime?
    /// A status that cannot be brought closer to what is desired: the server does not keep what is written.
    var settled: JSONValue?

    init(desired: DesiredStatus? = nil) { (self.desired, wasOurs) = (desired, desired != nil) }

    enum Phase: Hashable {
        case idle
        case queued
        case patching
        case reading
        case waiting(until: MonotonicTime)
    }

    /// The newest that is known.
    func current(at now: MonotonicTime) -> ObservedStatus? {
        guard let observed else { return nil }
        // Believed for a while only: a cluster that was restored from a backup counts from an older version on.
        guard let answered, answered.until > now, answered.status.uid == observed.uid,
            isOlder(observed.resourceVersion, than: answered.status.resourceVersion)
        else { return observed }
        return answered.status
    }

    mutating func take(answer: ObservedStatus, now: MonotonicTime) {
        // The watch may have been faster than the answer.
        let isNews = observed.map { isOlder($0.resourceVersion, than: answer.resourceVersion) } ?? true
        answered = isNews ? (answer, now + .seconds(60)) : nil
    }

    /// Takes what the object shall say from now on; whether what was said before is still being refused.
    mutating func take(desired next: DesiredStatus?) -> Bool {
        (desired, settled, repeats, notBefore) = (next, nil, 0, nil)
        if next != nil { wasOurs = true }
        return isRefused
    }

    /// Takes what the watch shows; whether that is news.
    mutating func take(observed next: ObservedStatus?) -> Bool {
        if observed?.resourceVersion == next?.resourceVersion, observed?.uid == next?.uid {
            // The same in another version of its kind: what could not be written in the old one is due.
            guard observed?.version != next?.version else { return false }
            observed = next
            return true
        }
        if let observed, let next, observed.uid != next.uid {
            // Another object of that name: nothing that was learned of the first holds.
            (wasOurs, settled, failures, needsRead) = (desired != nil, nil, 0, false)
            (isRefused, repeats, notBefore) = (false, 0, nil)
            if case .waiting = phase { phase = .idle }
        }
        let isOwnWrite = next != nil && next?.resourceVersion == answered?.status.resourceVersion
        observed = next
        if let next, let answered, !isOlder(next.resourceVersion, than: answered.status.resourceVersion) {
            self.answered = nil
        }
        if next == nil { answered = nil }
        return !isOwnWrite
    }
}

/// Resource versions count upwards and may be compared as numbers (KEP-5504). Where they are no numbers, what was answered
/// is taken to be newer than what is being watched.
func isOlder(_ version: String, than other: String) -> Bool {
    guard version != other else { return false }
    guard version.utf8.count == other.utf8.count else { return version.utf8.count < other.utf8.count }
    return version < other
}
