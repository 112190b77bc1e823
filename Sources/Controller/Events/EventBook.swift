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
    static let queueLimit = 256

    let controllerName: String
    let instance: String
    private var pending: [Subject: StatusItem] = [:]
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

    /// Remembers what changed; ``tell(_:now:)`` makes Events of it once this replica leads.
    mutating func take(_ changes: [StatusItem]) {
        for item in changes {
            let subject = Subject(subject: item.subject, type: item.condition.type)
            if ObjectEvent(problem: item) != nil || told.contains(subject) {
                guard pending[subject] != nil || pending.count < 4096 else { continue }
                pending[subject] = item
            } else {
                pending[subject] = nil
            }
        }
    }

    /// Remembers which objects have become unreadable.
    mutating func take(faults: [ClusterState.Fault]) {
        guard !faults.isEmpty || !knownFaults.isEmpty else { return }
        pendingFaults = pendingFaults.filter(faults.contains) + faults.filter { !knownFaults.contains($0) }
        knownFaults = Set(faults)
    }

    /// Queues Events for what is pending, but for what the API server's statuses say already: a leader before us told it.
    mutating func tell(_ outcome: Outcome, now: MonotonicTime) {
        for fault in pendingFaults {
            guard let event = ObjectEvent(fault: fault) else { continue }
            append(event, uid: outcome.observed[fault.kind, fault.key]?.uid ?? "", now: now)
        }
        pendingFaults = []
        guard !pending.isEmpty else { return }
        let items = pending.sorted { $0.key.subject < $1.key.subject }
        pending = [:]
        for (subject, item) in items {
            let key = ObjectKey(namespace: item.subject.namespace, name: item.subject.name)
            guard let observed = outcome.observed[item.subject.kind, key] else { continue }
            if let event = ObjectEvent(problem: item) {
                guard !observed.says(item, controllerName: controllerName) else { continue }
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
        let name = "\(event.key.name.prefix(230)).\(String(UInt64(bitPattern: wall), radix: 16))"
        sent[key] = Sent(name: name, count: 1, last: now)
        let object = event.object(
            name: name, namespace: namespace, uid: uid, time: TimeText.micro(wall), controller: controllerName,
            instance: instance)
        return Write(namespace: namespace, name: name, action: .create(object), event: key)
    }

    var wakeTime: MonotonicTime? { queue.isEmpty ? nil : pausedUntil }

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
            "eventTime": .string(time), "reportingController": .string(controller),
            "reportingInstance": .string(String(instance.prefix(128))), "action": .string(action),
            "reason": .string(String(reason.prefix(128))), "type": .string(isWarning ? "Warning" : "Normal"),
            "note": .string(note), "regarding": .object(regarding),
        ])
    }
}
