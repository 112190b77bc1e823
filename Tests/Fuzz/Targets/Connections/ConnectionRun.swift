internal import EngineCore
internal import Platform
internal import Primitives

/// One connection through the engine, by a script: its state, and the steps.
final class ConnectionRun {
    let script: ConnectionScript
    let engine: EngineUnderTest
    let client = ScriptedPeer()
    let backend = ScriptedPeer()
    let before: EngineUnderTest.Counts
    /// The opening's pieces that were not sent yet.
    private var opening: [[UInt8]]
    private var answersAwaited = 0
    /// How long the stream has to be before somebody looks at it again, if it was looked at after each piece.
    var lengthAwaited = 0
    /// Bytes of its own that a side has sent, or waits to send.
    var own: [ScriptedSide: Int] = [:]
    /// What the backend is to do once it may speak.
    var backendWaits: (bytes: [UInt8], end: Bool) = ([], false)
    var hasAnswered = false
    var mayBackendSpeak = false
    /// Nothing was done since everything had come that could. Not at first: the backend has not heard of it.
    var isSettled = false
    /// Who ended its stream first; nil twice: nobody knows.
    var firstEnd: ScriptedSide?
    var isOrderKnown = true
    var resetBy: ScriptedSide?
    var wasSettledAtReset = false
    var hadEndedAtReset = false
    var clientAddress: SocketAddress?
    /// What the engine counts once the connection is over, and how many others came to the backend.
    var after = EngineUnderTest.Counts()
    var strangers = 0

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

    var verdict: ConnectionVerdict {
        ConnectionVerdict(script.mode, client.sent, isOver: client.willEnd)
    }

    /// Something followed a request before its answer was there: how bytes fell together decides.
    private var wasHasty = false
    var isUncertain: Bool { wasHasty || mayBeUncounted }

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

    func peer(_ side: ScriptedSide) -> ScriptedPeer { side == .client ? client : backend }

    func end(_ side: ScriptedSide) {
        guard side == .client else { return backendWaits.end = true }
        noteEnd(.client)
        client.endSending()
    }

    /// The backend's when it does end: not before there is a connection.
    func noteEnd(_ side: ScriptedSide) {
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
}
