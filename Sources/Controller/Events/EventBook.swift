internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// Which Events are to be written. The same one within ten minutes counts up the one that stands (series); more than an
/// object's or everybody's share are dropped, and so is what cannot be written: Events never hold up anything. A machine
/// without I/O; belongs to one thread.
struct EventBook {
    struct Write: Hashable {
        enum Action: Hashable {
            case create(JSONValue)
            /// Merge patch of `series`.
            case count(JSONValue)
        }

        var namespace: String
        var name: String
        var action: Action
        fileprivate var event: Key
    }

    fileprivate struct Key: Hashable {
        var event: ObjectEvent
        var uid: String
    }

    private struct Sent {
        var name: String
        var count: Int64
        var last: MonotonicTime
    }

    private struct Subject: Hashable {
        var subject: StatusSubject
        var type: Condition.ConditionType
    }

    /// How long the same Event is counted up instead of being made anew.
    static let span = Duration.seconds(600)
    /// How long something must last before it is told.
    static let patience = Duration.seconds(1)
    static let queueLimit = 256

    let controllerName: String
    let instance: String
    private var pending: [Subject: (item: StatusItem, since: MonotonicTime)] = [:]
    private var told: Set<Subject> = []
    private var pendingFaults: [ClusterState.Fault] = []
    private var knownFaults: Set<ClusterState.Fault> = []
    private var sent: [Key: Sent] = [:]
    private var queue: [(event: ObjectEvent, uid: String)] = []
    private var objectBuckets: [ObjectIdentity: TokenBucket] = [:]
    private var bucket: TokenBucket
    private var inFlight = 0
    private var pausedUntil: MonotonicTime?
    private(set) var dropped: UInt64 = 0

    private struct ObjectIdentity: Hashable {
        var kind: String
        var key: ObjectKey
    }

    init(controllerName: String, instance: String, now: MonotonicTime) {
        (self.controllerName, self.instance) = (controllerName, instance.isEmpty ? "sluice" : instance)
        bucket = TokenBucket(burst: 50, perSecond: 2, now: now)
    }

    /// Remembers what changed, but for what the API server's statuses say already: a leader before us told it.
    mutating func take(_ changes: [StatusItem], _ outcome: Outcome, isLeader: Bool, now: MonotonicTime) {
        // What the leader has written meanwhile, it has told too; and what is gone is nobody's trouble.
        if !isLeader {
            pending = pending.filter { subject, value in
                outcome.observed[subject.subject.kind, subject.subject.key] != nil && !isKnown(value.item, outcome)
            }
        }
        for item in changes {
            let subject = Subject(subject: item.subject, type: item.condition.type)
            if ObjectEvent(problem: item) != nil {
                guard pending[subject] != nil || pending.count < 4096 else { continue }
                pending[subject] = isKnown(item, outcome) ? nil : (item, pending[subject]?.since ?? now)
            } else {
                pending[subject] = told.contains(subject) ? (item, now) : nil
            }
        }
        told = told.filter { outcome.observed[$0.subject.kind, $0.subject.key] != nil }
    }

    private func isKnown(_ item: StatusItem, _ outcome: Outcome) -> Bool {
        outcome.observed[item.subject.kind, item.subject.key]?.says(item, controllerName: controllerName) ?? false
    }

    /// Remembers which objects have become unreadable.
    mutating func take(faults: [ClusterState.Fault]) {
        guard !faults.isEmpty || !knownFaults.isEmpty else { return }
        pendingFaults = pendingFaults.filter(faults.contains) + faults.filter { !knownFaults.contains($0) }
        knownFaults = Set(faults)
    }

    /// Queues Events for what has lasted: objects that are created one after the other are wrong for a moment only.
    mutating func tell(_ outcome: Outcome, now: MonotonicTime) {
        for fault in pendingFaults {
            guard let event = ObjectEvent(fault: fault) else { continue }
            append(event, uid: outcome.observed[fault.kind, fault.key]?.uid ?? "", now: now)
        }
        pendingFaults = []
        let due = pending.filter { now - $0.value.since >= EventBook.patience }
        for (subject, (item, _)) in due.sorted(by: { $0.key.subject < $1.key.subject }) {
            pending[subject] = nil
            guard let observed = outcome.observed[item.subject.kind, item.subject.key] else { continue }
            if let event = ObjectEvent(problem: item) {
                told.insert(subject)
                append(event, uid: observed.uid, now: now)
            } else if told.remove(subject) != nil, let event = ObjectEvent(solved: item) {
                append(event, uid: observed.uid, now: now)
            }
        }
    }

    /// Queues one Event, where the shares allow it.
    mutating func append(_ event: ObjectEvent, uid: String, now: MonotonicTime) {
        let identity = ObjectIdentity(kind: event.kind, key: event.key)
        if objectBuckets.count > 4096 { objectBuckets = objectBuckets.filter { !$0.value.isFull(now) } }
        guard queue.count < EventBook.queueLimit,
            objectBuckets[identity, default: TokenBucket(burst: 10, perSecond: 1 / 30.0, now: now)].take(now),
            bucket.take(now)
        else {
            dropped += 1
            return
        }
        queue.append((event, uid))
    }

    /// What to send now, if anything. `wall`: nanoseconds since 1970.
    mutating func next(now: MonotonicTime, wall: Int64) -> Write? {
        guard inFlight < 2, pausedUntil.map({ $0 <= now }) ?? true, !queue.isEmpty else { return nil }
        let (event, uid) = queue.removeFirst()
        inFlight += 1
        if sent.count > 1024 { sent = sent.filter { now - $0.value.last < EventBook.span } }
        let key = Key(event: event, uid: uid)
        let namespace = event.key.namespace.isEmpty ? "default" : event.key.namespace
        if var before = sent[key], now - before.last < EventBook.span {
            (before.count, before.last) = (before.count + 1, now)
            sent[key] = before
            let series = JSONValue.object([
                "series": .object([
                    "count": .integer(before.count), "lastObservedTime": .string(TimeText.micro(wall)),
                ])
            ])
            return Write(namespace: namespace, name: before.name, action: .count(series), event: key)
        }
        // As client-go names them: unique within the namespace, and the object is seen in it.
        let name = "\(fitting(event.key.name, 230)).\(String(UInt64(bitPattern: wall), radix: 16))"
        sent[key] = Sent(name: name, count: 1, last: now)
        let object = event.object(
            name: name, namespace: namespace, uid: uid, time: TimeText.micro(wall), controller: controllerName,
            instance: instance)
        return Write(namespace: namespace, name: name, action: .create(object), event: key)
    }

    func wakeTime(after now: MonotonicTime) -> MonotonicTime? {
        let pause = queue.isEmpty ? nil : pausedUntil.flatMap { $0 > now ? $0 : nil }
        let ripe = pending.values.map { $0.since + EventBook.patience }.min()
        return [pause, ripe].compactMap { $0 }.min()
    }

    /// Takes the answer to a write. What failed is not tried again, but for a series whose Event has expired.
    mutating func receive(_ answer: Result<Void, APIError>, to write: Write, now: MonotonicTime) {
        inFlight -= 1
        guard case .failure(let error) = answer else { return }
        sent[write.event] = nil
        if error.code == 404, case .count = write.action {
            queue.insert((write.event.event, write.event.uid), at: 0)
        } else {
            dropped += 1
        }
        if error.code == 429, case .status(let status) = error {
            pausedUntil = now + (status.retryAfter ?? .seconds(1))
        } else if error.code == nil || error.code.map({ $0 >= 500 }) == true {
            pausedUntil = now + .seconds(5)
        }
    }
}

extension ObjectEvent {
    /// events.k8s.io/v1.
    fileprivate func object(
        name: String, namespace: String, uid: String, time: String, controller: String, instance: String
    ) -> JSONValue {
        var regarding: [String: JSONValue] = [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(key.name),
        ]
        if !uid.isEmpty { regarding["uid"] = .string(uid) }
        if !key.namespace.isEmpty { regarding["namespace"] = .string(key.namespace) }
        return .object([
            "apiVersion": .string("events.k8s.io/v1"), "kind": .string("Event"),
            "metadata": .object(["name": .string(name), "namespace": .string(namespace)]),
            "eventTime": .string(time), "reportingController": .string(qualified(controller)),
            "reportingInstance": .string(String(instance.prefix(128))), "action": .string(action),
            "reason": .string(String(reason.prefix(128))), "type": .string(isWarning ? "Warning" : "Normal"),
            "note": .string(note), "regarding": .object(regarding),
        ])
    }
}

/// The first bytes of an ASCII name, without '-', '_' and '.' at the end of what was cut.
private func fitting(_ name: some StringProtocol, _ limit: Int) -> String {
    var bytes = Array(name.utf8.prefix(limit))
    while let last = bytes.last, "-_.".utf8.contains(last) { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
}

/// A controllerName as the API server takes it of an Event: a domain and a name of at most 63 letters, digits, '-', '_' and '.',
/// where Gateway API lets a path stand.
private func qualified(_ controller: String) -> String {
    let parts = controller.split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { return controller }
    let path = parts[1].utf8.map { byte -> UInt8 in
        let isPlain =
            byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
        return isPlain || "-_.".utf8.contains(byte) ? byte : UInt8(ascii: "-")
    }
    let name = fitting(String(decoding: path.drop { "-_.".utf8.contains($0) }, as: UTF8.self), 63)
    return "\(parts[0])/\(name.isEmpty ? "gateway-controller" : name)"
}
