internal import EngineCore
internal import EngineModel
internal import Glibc
internal import Platform
internal import Primitives

/// One connection through the engine, by a script.
final class ConnectionRun {
    let script: ConnectionScript
    let engine: EngineUnderTest
    let client = ScriptedPeer()
    let backend = ScriptedPeer()
    private let before: EngineUnderTest.Counts
    /// The opening's pieces that were not sent yet.
    private var opening: [[UInt8]]
    private var answersAwaited = 0
    /// How long the stream has to be before somebody looks at it again, if it was looked at after each piece.
    private var lengthAwaited = 0
    /// Bytes of its own that a side has sent, or waits to send.
    private var own: [ScriptedSide: Int] = [:]
    /// What the backend is to do once it may speak.
    private var backendWaits: (bytes: [UInt8], end: Bool) = ([], false)
    private var hasAnswered = false
    private var mayBackendSpeak = false
    /// Nothing was done since everything had come that could. Not at first: the backend has not heard of it.
    private var isSettled = false
    /// Who ended its stream first; nil twice: nobody knows.
    private var firstEnd: ScriptedSide?
    private var isOrderKnown = true
    private var resetBy: ScriptedSide?
    private var wasSettledAtReset = false
    private var hadEndedAtReset = false
    private var clientAddress: SocketAddress?

    init(_ script: ConnectionScript, _ engine: EngineUnderTest) throws {
        (self.script, self.engine, opening) = (script, engine, script.opening)
        before = engine.counts(script.mode)
        do throws(Errno) {
            let socket = try StreamSocket.connect(
                to: .ip(SocketAddress(.loopbackV4, engine.ports[script.mode] ?? 0)))
            clientAddress = StreamSocket.localAddress(of: socket)
            client.take(socket.release())
        } catch {
            // Refused before connect had looked.
            guard error == .connectionReset else { throw error }
            client.noteRefused()
        }
    }

    private var verdict: ConnectionVerdict {
        ConnectionVerdict(script.mode, client.sent, isOver: client.willEnd)
    }

    /// Something followed a request before its answer was there: how bytes fell together decides.
    private var wasHasty = false
    private var isUncertain: Bool { wasHasty || mayBeUncounted }

    /// Sends, and notes whether something follows a request that was not answered.
    private func sendNow(_ bytes: [UInt8]) {
        let answered = client.received.count
        if case .undecided(_, let length) = verdict { lengthAwaited = max(lengthAwaited, length) }
        client.send(bytes)
        guard script.mode == .postgres else { return }
        var offset = 0
        for request in 1...2 {
            switch client.sent[offset...].withUnsafeBytes({ PostgresStart.parse($0) }) {
            case .sslRequest, .gssEncryptionRequest: offset += PostgresStart.requestLength
            default: return
            }
            if client.sent.count > offset, answered < request { wasHasty = true }
        }
    }

    func run() throws {
        for step in script.steps where resetBy == nil { try perform(step) }
        try finish()
        try check()
    }

    // MARK: Steps

    private func perform(_ step: ConnectionScript.Step) throws {
        switch step {
        case .settle: return try settle()
        case .breathe: try turn(wait: 0)
        // Who has ended says no more.
        case .send(.client, _) where client.willEnd, .send(.backend, _) where backendWaits.end: break
        case .send(.client, let count): try sendFromClient(count)
        case .send(.backend, let count):
            backendWaits.bytes += pattern(.backend, count)
            try turn(wait: 0)
        case .end(let side):
            end(side)
            try turn(wait: 0)
        case .pause(let side): peer(side).isPaused.toggle()
        case .reset(let side):
            // Before a backend speaks its reset is a failed attempt, which is another story.
            guard side == .client || mayBackendSpeak else { return }
            (resetBy, wasSettledAtReset) = (side, isSettled)
            // Its acknowledgement may be late.
            hadEndedAtReset = backend.hasEndArrived || client.end == .fin
            peer(side).reset()
        }
        isSettled = false
    }

    private func peer(_ side: ScriptedSide) -> ScriptedPeer { side == .client ? client : backend }

    private func end(_ side: ScriptedSide) {
        guard side == .client else { return backendWaits.end = true }
        noteEnd(.client)
        client.endSending()
    }

    /// The backend's when it does end: not before there is a connection.
    private func noteEnd(_ side: ScriptedSide) {
        guard firstEnd != side else { return }
        if firstEnd == nil { firstEnd = side } else if !isSettled { isOrderKnown = false }
    }

    private func pattern(_ side: ScriptedSide, _ count: Int) -> [UInt8] {
        let start = own[side, default: 0]
        own[side] = start + count
        let factor = side == .client ? 31 : 17
        return (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* factor &+ $0 >> 8) }
    }

    private func sendFromClient(_ count: Int) throws {
        guard let piece = opening.first else {
            sendNow(pattern(.client, count))
            return try turn(wait: 0)
        }
        if answersAwaited > 0 {
            client.isPaused = false
            try wait("for an answer to \(client.sent)") {
                if client.received.count >= answersAwaited || client.end != nil { return true }
                if case .undecided(let answers, _) = verdict { return answers.count < answersAwaited }
                return false
            }
        }
        sendNow(Array(piece.prefix(count)))
        opening[0].removeFirst(min(count, piece.count))
        if opening[0].isEmpty {
            opening.removeFirst()
            if script.mode == .postgres, !opening.isEmpty { answersAwaited += 1 }
        }
        try turn(wait: 0)
    }

    /// Waits until everything has come that can, and what has ended is known to have.
    private func settle() throws {
        (client.isPaused, backend.isPaused) = (false, false)
        guard !isUncertain else { return }
        try wait("until everything has come") { self.hasAllCome }
        isSettled = true
    }

    private var hasAllCome: Bool {
        switch verdict {
        case .uncertain: return true
        case .undecided: return !client.willEnd || client.end != nil
        case .refused: return client.end != nil || client.sent.count < lengthAwaited && !client.willEnd
        case .served(let offset, let asksForTLS, let answers):
            if asksForTLS, script.answer != PostgresStart.accept { return client.end != nil }
            guard backend.isOpen, let relayed = relayed() else { return false }
            let fromBackend = answers.count + own[.backend, default: 0]
            return relayed.count == client.sent.count - offset
                && (mayBackendSpeak || own[.backend, default: 0] == 0 && !backendWaits.end)
                && (!client.hasEnded || backend.end != nil) && (client.hasEnded || !client.willEnd)
                && client.received.count == fromBackend && (!backend.hasEnded || client.end != nil)
        }
    }

    /// What the backend got, without what Sluice says itself; nil: that is not whole yet.
    private func relayed() -> ArraySlice<UInt8>? {
        guard case .served(_, let asksForTLS, _) = verdict else { return backend.received[...] }
        if asksForTLS { return backend.received.count < 8 ? nil : backend.received[8...] }
        guard script.mode == .optional else { return backend.received[...] }
        guard case .header(let header) = backend.received.withUnsafeBytes({ ProxyHeader.parse($0) }) else { return nil }
        return backend.received[header.consumedBytes...]
    }

    // MARK: Sockets

    /// Goes on until the condition holds.
    private func wait(_ what: String, _ condition: () -> Bool) throws {
        let deadline = MonotonicTime.now() + .seconds(15)
        while !condition() {
            guard MonotonicTime.now() < deadline else {
                throw BrokenInvariant(
                    description: """
                        \(script.mode): waited in vain \(what); \(verdict), reset by \(String(describing: resetBy)); client: \
                        \(client.sent.count) sent, \(client.received.count) received, end \(String(describing: client.end)); backend: \
                        \(backend.sent.count) sent, \(backend.received.count) received, end \(String(describing: backend.end)), \
                        open \(backend.isOpen); now \(engine.counts(script.mode)), before \(before)
                        """)
            }
            try turn(wait: 20)
        }
    }

    /// Does what can be done; waits at most so many milliseconds for something.
    private func turn(wait milliseconds: Int32) throws {
        letBackendSpeak()
        var entries = [
            entry(client), entry(backend),
            pollfd(fd: backend.isOpen || backend.isClosed ? -1 : engine.backend.raw, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&entries, 3, milliseconds) > 0 else { return }
        if entries[2].revents != 0, let accepted = try StreamSocket.accept(from: engine.backend) {
            backend.take(accepted.takeSocket().release())
        }
        for peer in [client, backend] {
            peer.flush()
            peer.read()
        }
        letBackendSpeak()
    }

    private func entry(_ peer: ScriptedPeer) -> pollfd {
        let events = (peer.wantsToRead ? POLLIN : 0) | (peer.wantsToSend ? POLLOUT : 0)
        return pollfd(fd: events == 0 && !peer.awaitsReset ? -1 : peer.descriptor, events: Int16(events), revents: 0)
    }

    private func letBackendSpeak() {
        guard backend.isOpen else { return }
        if script.mode == .postgres, case .served(_, true, _) = verdict, !hasAnswered, backend.received.count >= 8 {
            hasAnswered = true
            backend.send([script.answer])
        }
        if !mayBackendSpeak {
            guard script.mode != .postgres || relayed()?.isEmpty == false else { return }
            mayBackendSpeak = true
        }
        backend.send(backendWaits.bytes)
        backendWaits.bytes = []
        guard backendWaits.end, !backend.willEnd else { return }
        noteEnd(.backend)
        backend.endSending()
    }

    // MARK: The end

    private func finish() throws {
        (client.isPaused, backend.isPaused) = (false, false)
        if resetBy == nil {
            for side in [ScriptedSide.client, .backend] where !(side == .client ? client.willEnd : backendWaits.end) {
                end(side)
                isSettled = false
            }
        }
        try wait("for both ends") { self.isOver }
        // What has read an end in order does not read the reset behind it.
        if owesReset, let other = resetBy.map({ peer($0 == .client ? .backend : .client) }), other.end == .fin {
            try wait("for the reset behind the end") { other.wasResetBehindEnd }
        }
        // Only now is it known that nobody else comes.
        client.close()
        backend.close()
        var counts = before
        try wait("for the end to be counted") {
            counts = engine.counts(script.mode)
            let isCounted = counts.total > before.total || mayBeUncounted
            return isCounted && counts.active == 0 && engine.open == 0
        }
        after = counts
        while let late = try StreamSocket.accept(from: engine.backend) {
            _ = consume late
            strangers += 1
        }
    }

    private var after = EngineUnderTest.Counts()
    private var strangers = 0

    private var isOver: Bool {
        switch resetBy {
        case .client: return !backend.isOpen || backend.end != nil
        case .backend: return client.end != nil
        case nil: break
        }
        guard client.end != nil else { return false }
        if backend.isOpen { return backend.end != nil }
        if case .served = verdict, !isUncertain { return false }
        return true
    }

    /// A proxy's own connection that has said nothing is no client's.
    private var mayBeUncounted: Bool {
        guard script.mode == .proxied || script.mode == .optional else { return false }
        guard case .header(let header) = client.sent.withUnsafeBytes({ ProxyHeader.parse($0) }) else { return false }
        return header.command == .local && (header.consumedBytes == client.sent.count || resetBy != nil)
    }

    // MARK: What must have come of it

    private func check() throws {
        let reasons = after.ends.filter { $0.value != before.ends[$0.key, default: 0] }
        let counted = after.total - before.total
        try require(counted == 1 || counted == 0 && mayBeUncounted, context("\(counted) ends were counted"))
        if let reason = reasons.first?.key {
            try require(allowedReasons.contains(reason), context("\(reason) is none of \(allowedReasons)"))
        }
        switch verdict {
        case .served(let offset, let asksForTLS, let answers):
            if isUncertain { return try checkPrefixes(answers, from: offset) }
            if asksForTLS, script.answer != PostgresStart.accept { return try checkDeclined(answers) }
            if resetBy == nil { return try checkWhole(answers, from: offset) }
            if reasons.keys.contains(.connectRefused) { return try checkUnconnected(answers) }
            try checkPrefixes(answers, from: offset)
            try checkReset(answers)
        case .refused(let reason, let answers, let isReset):
            if isUncertain { return }
            try require(strangers == 0 && !backend.isClosed, context("a backend heard of what was refused"))
            guard resetBy == nil else { return }
            try requireEqual(client.received, answers, context("what the client is told, \(reason)"))
            if isReset || client.sent.count <= 60_000 {
                try requireEqual(client.end, isReset ? .reset : .fin, context("how the client is refused, \(reason)"))
            }
        case .undecided(let answers, _):
            if isUncertain { return }
            try require(strangers == 0 && !backend.isClosed, context("a backend heard of what was not decided"))
            if resetBy == nil { try requireEqual(client.received, answers, context("what the client is told")) }
        case .uncertain: return
        }
    }

    private func context(_ what: String) -> String {
        "\(script.mode), \(verdict), reset by \(resetBy.map { "\($0)" } ?? "nobody")\(wasSettledAtReset ? " when all had come" : ""): \(what)"
    }

    private var allowedReasons: Set<CloseReason> {
        var reasons: Set<CloseReason> = []
        switch verdict {
        case .uncertain, .undecided: reasons = [.clientClosed]
        case .refused(let reason, _, _): reasons = [reason]
        case .served(_, let asksForTLS, _):
            if asksForTLS, script.answer != PostgresStart.accept {
                reasons = [.backendTLSError]
            } else {
                reasons = servedReasons
            }
        }
        if isUncertain {
            reasons.formUnion([.startTLSError, .clientClosed, .clientReset, .backendClosed, .backendTLSError])
        }
        guard let resetBy, !(wasSettledAtReset && isServed) else { return reasons }
        return reasons.union([resetBy == .client ? .clientReset : .backendReset, .clientClosed])
    }

    private var isServed: Bool { if case .served = verdict { !isUncertain } else { false } }

    private var servedReasons: Set<CloseReason> {
        let ends: Set<CloseReason> =
            switch firstEnd {
            case .client: isOrderKnown ? [.clientClosed] : [.clientClosed, .backendClosed]
            case .backend: isOrderKnown ? [.backendClosed] : [.clientClosed, .backendClosed]
            case nil: []
            }
        switch resetBy {
        case nil: return ends
        case .client:
            if wasSettledAtReset, hasRelayed { return bothHadEnded ? ends : [.clientReset] }
            return ends.union([.clientReset, .clientClosed, .backendClosed])
        case .backend:
            // What had ended in order before has.
            if hadEndedAtReset, wasSettledAtReset { return bothHadEnded ? ends : [.backendClosed] }
            return (wasSettledAtReset ? [] : ends.union([.clientClosed, .backendClosed]))
                .union(hasRelayed ? [.backendReset] : [.backendReset, .connectRefused])
        }
    }

    /// Whoever was not reset must see the other's reset: nothing else was under way, nor is more owed to it.
    private var owesReset: Bool {
        guard let resetBy, wasSettledAtReset, isServed, hasRelayed, !bothHadEnded else { return false }
        if case .served(_, true, _) = verdict, script.answer != PostgresStart.accept { return false }
        return resetBy == .client || !hadEndedAtReset
    }

    /// Bytes have come through: the engine knows of its connection to the backend, which that has long before it does.
    private var hasRelayed: Bool {
        guard case .served(_, _, let answers) = verdict else { return false }
        let told = client.received.dropFirst(answers.count)
        return relayed()?.isEmpty == false || !told.isEmpty && !told.elementsEqual(ConnectionVerdict.alert(80))
    }

    private var bothHadEnded: Bool { client.willEnd && backendWaits.end }

    /// Nobody was reset: every byte came both ways, and both ends.
    private func checkWhole(_ answers: [UInt8], from offset: Int) throws {
        try requireEqual(strangers, 0, context("further connections to the backend"))
        try requireEqual(client.end, .fin, context("the client's end"))
        try requireEqual(backend.end, .fin, context("the backend's end"))
        guard let relayed = relayed() else {
            throw BrokenInvariant(description: context("nothing reached the backend"))
        }
        try require(
            relayed.elementsEqual(client.sent[offset...]),
            context("bytes to the backend differ: \(relayed.count) of \(client.sent.count - offset)"))
        try require(
            client.received.elementsEqual(expectedAtClient(answers)),
            context("bytes to the client differ: \(client.received.count)"))
        try requireEqual(
            after.requestBytes - before.requestBytes, relayed.count, context("bytes counted to the backend"))
        try requireEqual(
            after.responseBytes - before.responseBytes, client.received.count - answers.count,
            context("bytes counted to the client"))
        if script.mode == .optional { try checkOwnHeader() }
    }

    private func expectedAtClient(_ answers: [UInt8]) -> [UInt8] {
        answers + backend.sent.dropFirst(hasAnswered ? 1 : 0)
    }

    private func checkOwnHeader() throws {
        guard case .header(let header) = backend.received.withUnsafeBytes({ ProxyHeader.parse($0) }) else {
            throw BrokenInvariant(description: context("no header before the client's bytes"))
        }
        var source = clientAddress
        if case .header(let received) = client.sent.withUnsafeBytes({ ProxyHeader.parse($0) }),
            let named = received.source
        {
            source = named
        }
        try requireEqual(header.source, source, context("the source that the backend is told"))
    }

    private func checkPrefixes(_ answers: [UInt8], from offset: Int) throws {
        if let relayed = relayed() {
            try require(client.sent[offset...].starts(with: relayed), context("other bytes than the client's"))
        }
        guard !isUncertain else { return }
        try require(expectedAtClient(answers).starts(with: client.received), context("other bytes than the backend's"))
    }

    /// The backend's reset was there before the connect was looked at: an attempt that failed, and the only one.
    private func checkUnconnected(_ answers: [UInt8]) throws {
        let isTold = script.mode == .passthrough
        let words = answers + (isTold ? ConnectionVerdict.alert(80) : [])
        // An alert is lost where more of the client's bytes wait than are read before.
        guard !isTold || client.sent.count <= 60_000 else { return }
        try requireEqual(client.received, words, context("what a client is told whose backend was not reached"))
        try requireEqual(client.end, isTold ? .fin : .reset, context("the end of one whose backend was not reached"))
    }

    private func checkReset(_ answers: [UInt8]) throws {
        if resetBy == .backend, hadEndedAtReset {
            // What it sent and ended in order is still owed to the client.
            try require(
                client.received.elementsEqual(expectedAtClient(answers)),
                context("\(client.received.count) of \(expectedAtClient(answers).count) bytes that were sent and ended")
            )
            try requireEqual(client.end, .fin, context("the client's end behind a stream that ended in order"))
        } else if owesReset {
            let other = peer(resetBy == .client ? .backend : .client)
            if !other.wasResetBehindEnd {
                try requireEqual(other.end, .reset, context("a reset is passed on as one"))
            }
        }
    }

    /// The backend declined TLS, and the client heard of it.
    private func checkDeclined(_ answers: [UInt8]) throws {
        guard resetBy == nil else { return }
        try requireEqual(client.received, answers + ConnectionVerdict.alert(80), context("what the client is told"))
    }
}
