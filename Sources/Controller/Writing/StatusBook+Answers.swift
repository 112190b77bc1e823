internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// What became of the writes.
extension StatusBook {
    /// Takes the answer to a write that ``next(now:wall:)`` or this function returned; what is to be sent at once, if anything.
    mutating func receive(
        _ answer: Swift.Result<ObservedStatus, APIError>, to write: Write, now: MonotonicTime, wall: Int64
    ) -> Write? {
        window.inFlight -= 1
        guard entries[write.target] != nil else { return nil }
        edit(write.target) { $0.phase = .idle }
        var next: Write?
        switch (answer, write.action) {
        case (.success(let status), .patch(let changes, _)):
            window.succeeded()
            count(write, .ok)
            wrote(write.target, changes, status, now: now, wall: wall)
        case (.success(let status), .read):
            window.succeeded()
            next = reread(write.target, status, now: now, wall: wall)
        case (.failure(.status(let status)), _) where status.code == 404:
            notFound(write.target, now: now)
        case (.failure(.status(let status)), .patch) where status.code == 409:
            count(write, .conflict)
            next = conflicted(write, now: now)
        case (.failure(let error), _):
            count(write, .error)
            failed(write.target, error, now: now)
        }
        if entries[write.target]?.isStale == true, entries[write.target]?.phase == .idle { enqueue(write.target) }
        if next == nil { forget(write.target) }
        return next
    }

    private mutating func count(_ write: Write, _ result: Result) {
        counts[write.target.kind, default: [:]][result, default: 0] += 1
    }

    private mutating func wrote(
        _ target: StatusTarget, _ changes: [String: JSONValue], _ status: ObservedStatus, now: MonotonicTime,
        wall: Int64
    ) {
        let repeats = edit(target) { entry in
            entry.take(answer: status, now: now)
            if entry.desired == nil { entry.wasOurs = false }
            if let last = entry.lastWrite, now - last > .seconds(600) { entry.repeats = 0 }
            (entry.failures, entry.repeats, entry.lastWrite) = (0, entry.repeats + 1, now)
            return entry.repeats
        }
        if repeats > 3 {
            if repeats == 4 { remarks.append(.contested(target)) }
            let pause = backOff.wait(repeats, floor: .seconds(1))
            edit(target) { $0.notBefore = now + pause }
        }
        guard let entry = entries[target], let left = self.changes(target, entry, status, wall: wall) else { return }
        // The same fields would have to change again: the server dropped something, and would drop it again.
        guard Set(left.keys) == Set(changes.keys), !entry.isStale else { return enqueue(target) }
        edit(target) { $0.settled = status.status ?? .null }
        remarks.append(.notKept(target))
    }

    private mutating func conflicted(_ write: Write, now: MonotonicTime) -> Write? {
        let failures = countFailure(write.target)
        // The first conflicts of a row are answered at once; a storm of them is waited out.
        guard failures > 3 else { return read(write.target, version: write.version) }
        edit(write.target) { $0.needsRead = true }
        wait(write.target, until: now + backOff.wait(failures - 3))
        return nil
    }

    mutating func read(_ target: StatusTarget, version: String) -> Write {
        edit(target) { ($0.isStale, $0.needsRead) = (false, false) }
        return send(Write(target: target, version: version, action: .read), .reading)
    }

    /// The fresh object after a conflict.
    private mutating func reread(
        _ target: StatusTarget, _ fresh: ObservedStatus, now: MonotonicTime, wall: Int64
    ) -> Write? {
        // What is taken back is so whatever the spec says.
        let isAnySpec = retired.contains(target)
        guard let known = entries[target]?.observed, known.uid == fresh.uid,
            known.generation == fresh.generation || isAnySpec
        else {
            // What we would say is about another spec, or another object. The watch will show it: until then, wait.
            let failures = countFailure(target)
            wait(target, until: now + backOff.wait(failures))
            return nil
        }
        edit(target) { $0.take(answer: fresh, now: now) }
        guard let write = plan(target, now: now, wall: wall) else {
            edit(target) { $0.failures = 0 }
            return nil
        }
        return send(write, .patching)
    }

    private mutating func failed(_ target: StatusTarget, _ error: APIError, now: MonotonicTime) {
        switch error {
        case .status(let status) where status.code == 429:
            window.overloaded(now: now, pause: status.retryAfter ?? .seconds(1))
            return enqueue(target)
        case .status(let status) where status.code < 500 && status.code != 401 && status.code != 408:
            // Sent again it would be refused again: only what changes is tried, or the same after a long time, for
            // rights may be granted and schemas replaced.
            remarks.append(.refused(target, error))
            edit(target) { $0.isRefused = true }
            return wait(target, until: now + backOff.wait(1, floor: .seconds(300)))
        case .status(let status):
            if status.code == 503 || status.code == 504 { window.overloaded(now: now, pause: status.retryAfter) }
            remarks.append(.failed(target, error))
            wait(target, until: now + backOff.wait(countFailure(target), floor: status.retryAfter))
        case .transport, .credentials, .malformed:
            window.overloaded(now: now, pause: nil)
            remarks.append(.failed(target, error))
            wait(target, until: now + backOff.wait(countFailure(target)))
        }
    }

    /// Most likely gone, and the watch will say so. If it does not, the server has just started and does not know all its
    /// kinds yet, or serves this one in another version by now.
    private mutating func notFound(_ target: StatusTarget, now: MonotonicTime) {
        edit(target) { $0.needsRead = false }
        if followsWatch { wait(target, until: now + backOff.wait(countFailure(target), floor: .seconds(1))) }
    }

    private mutating func countFailure(_ target: StatusTarget) -> Int {
        edit(target) { entry in
            entry.failures += 1
            return entry.failures
        }
    }
}
