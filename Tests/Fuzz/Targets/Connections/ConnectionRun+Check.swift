internal import EngineCore
internal import EngineModel
internal import Primitives

// What must have come of the connection, by what was said, who ended first and who was reset.

extension ConnectionRun {
    func check() throws {
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
    var owesReset: Bool {
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
    func checkWhole(_ answers: [UInt8], from offset: Int) throws {
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

    func checkOwnHeader() throws {
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

    func checkPrefixes(_ answers: [UInt8], from offset: Int) throws {
        if let relayed = relayed() {
            try require(client.sent[offset...].starts(with: relayed), context("other bytes than the client's"))
        }
        guard !isUncertain else { return }
        try require(expectedAtClient(answers).starts(with: client.received), context("other bytes than the backend's"))
    }

    /// The backend's reset was there before the connect was looked at: an attempt that failed, and the only one.
    func checkUnconnected(_ answers: [UInt8]) throws {
        let isTold = script.mode == .passthrough
        let words = answers + (isTold ? ConnectionVerdict.alert(80) : [])
        // An alert is lost where more of the client's bytes wait than are read before.
        guard !isTold || client.sent.count <= 60_000 else { return }
        try requireEqual(client.received, words, context("what a client is told whose backend was not reached"))
        try requireEqual(client.end, isTold ? .fin : .reset, context("the end of one whose backend was not reached"))
    }

    func checkReset(_ answers: [UInt8]) throws {
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
    func checkDeclined(_ answers: [UInt8]) throws {
        guard resetBy == nil else { return }
        try requireEqual(client.received, answers + ConnectionVerdict.alert(80), context("what the client is told"))
    }
}
