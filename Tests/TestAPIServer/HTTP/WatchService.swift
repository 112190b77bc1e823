internal import Platform

/// Streams one watch: what exists, then what happens, until its time is over, its client goes or a fault ends it.
struct WatchService {
    private let connection: HTTPConnection
    private let state: Locked<ClusterState>
    private let request: ServedRequest
    private var plan: WatchPlan
    private var nextBookmark: MonotonicTime

    init(_ connection: HTTPConnection, state: Locked<ClusterState>, plan: WatchPlan, request: ServedRequest) {
        (self.connection, self.state, self.plan, self.request) = (connection, state, plan, request)
        nextBookmark = plan.started + state.withLock { $0.options.bookmarkInterval }
    }

    consuming func run() throws {
        let waker = try EventDescriptor()
        let number = state.withLock { state in
            let number = (state.wakers.keys.max() ?? 0) + 1
            state.wakers[number] = waker
            return number
        }
        let state = state
        defer { _ = state.withLock { $0.wakers.removeValue(forKey: number) } }
        try connection.write(Array(head.utf8))
        if let refusal = plan.refusal {
            try chunk(WatchPlan.event("ERROR", JSONText.bytes(refusal.object)))
        } else {
            try stream(waker)
        }
        try connection.write(Array("0\r\n\r\n".utf8))
    }

    private var head: String {
        "HTTP/1.1 200 OK\r\nCache-Control: no-cache, private\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
    }

    private mutating func stream(_ waker: EventDescriptor) throws {
        var initial = plan.initial
        plan.initial = []
        while true {
            waker.drain()
            let turn = state.withLock { [plan] state -> Turn in Self.turn(&state, plan, request) }
            plan = turn.plan
            if turn.isSilent {
                try wait(waker, .seconds(1))
                continue
            }
            if !initial.isEmpty {
                try write(initial, turn.faults)
                initial = []
            }
            if let garbage = turn.faults.garbage, !plan.hasSentGarbage {
                plan.hasSentGarbage = true
                try chunk(Array(garbage.utf8) + [0x0a])
            }
            guard let events = turn.events else {
                try chunk(WatchPlan.event("ERROR", JSONText.bytes(turn.expired.object)))
                return
            }
            try write(events, turn.faults)
            let now = MonotonicTime.now()
            if turn.isOver || now >= plan.deadline {
                if plan.allowsBookmarks, now >= plan.deadline { try bookmark() }
                return
            }
            if plan.allowsBookmarks, now >= nextBookmark {
                nextBookmark = now + turn.bookmarkInterval
                try bookmark()
            }
            var next = plan.deadline
            if plan.allowsBookmarks { next = min(next, nextBookmark) }
            if let after = turn.faults.closesWatchesAfter { next = min(next, plan.started + after) }
            try wait(waker, max(.milliseconds(1), next - now))
        }
    }

    /// What one look at the state says.
    private struct Turn {
        var plan: WatchPlan
        var events: [[UInt8]]?
        var faults: Faults
        var isSilent = false
        var isOver = false
        var bookmarkInterval: Duration
        var expired = APIStatus.expired("The resourceVersion for the provided watch is too old.")
    }

    private static func turn(_ state: inout ClusterState, _ plan: WatchPlan, _ request: ServedRequest) -> Turn {
        let faults = state.faults.concerns(request) ? state.faults : Faults()
        var turn = Turn(plan: plan, events: [], faults: faults, bookmarkInterval: state.options.bookmarkInterval)
        if faults.silencesWatches {
            turn.isSilent = true
            return turn
        }
        if plan.epoch != state.watchEpoch { turn.isOver = true }
        if let after = faults.closesWatchesAfter, MonotonicTime.now() - plan.started >= after { turn.isOver = true }
        if state.stores[plan.kind.qualifiedPlural] == nil {
            turn.isOver = true
            return turn
        }
        turn.events = state.events(for: &turn.plan)
        return turn
    }

    private func bookmark() throws {
        try chunk(
            WatchPlan.event("BOOKMARK", plan.rendering.bookmark(version: plan.position, endsInitialEvents: false)))
    }

    private func write(_ events: [[UInt8]], _ faults: Faults) throws {
        guard let size = faults.trickle else {
            guard !events.isEmpty else { return }
            return try chunk(events.reduce(into: []) { $0 += $1 })
        }
        for event in events {
            for start in stride(from: 0, to: event.count, by: max(1, size)) {
                try chunk(Array(event[start..<min(start + size, event.count)]))
                _ = try pollReadable([], timeout: .milliseconds(10))
            }
        }
    }

    private func chunk(_ bytes: [UInt8]) throws {
        try connection.write(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    /// Until something happens; throws where the client is gone.
    private func wait(_ waker: EventDescriptor, _ timeout: Duration) throws {
        let ready = try pollReadable([waker.raw, connection.raw], timeout: timeout)
        if ready.contains(1), try connection.hasEnded() { throw HTTPConnection.Failure.ended }
        if connection.isOver { throw HTTPConnection.Failure.interrupted }
    }
}
