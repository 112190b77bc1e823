internal import KubernetesAPI
internal import Platform

/// Serves the requests of one connection, in order, with the faults that hold.
struct ConnectionService {
    private let connection: HTTPConnection
    private let state: Locked<ClusterState>
    private let listener: HTTPListener

    init(_ connection: HTTPConnection, state: Locked<ClusterState>, listener: HTTPListener) {
        (self.connection, self.state, self.listener) = (connection, state, listener)
    }

    func run() {
        do {
            while let request = try connection.readRequest() {
                guard try answer(request) else { return }
            }
        } catch HTTPConnection.Failure.malformed {
            try? connection.write(APIStatus.badRequest("malformed request").response.bytes(closes: true))
        } catch {}
    }

    /// False where the connection ends with this answer.
    private func answer(_ request: ServedRequest) throws -> Bool {
        let isLast = request.headers["connection"]?.lowercased() == "close"
        if request.path.first == "_control" {
            let answer = ControlPath(state: state, listener: listener).answer(request)
            try connection.write(answer.bytes(closes: isLast))
            return !isLast
        }
        let faults = state.withLock { state in
            let faults = state.faults
            if faults.concerns(request), let remaining = faults.remaining {
                state.faults.remaining = max(0, remaining - 1)
            }
            return faults
        }
        let isConcerned = faults.concerns(request) && faults.remaining != 0
        if isConcerned {
            if faults.latency > .zero { try pause(faults.latency) }
            if faults.dropsConnections {
                connection.reset()
                return false
            }
            if let code = faults.answersWith {
                try send(failure(code, faults).bytes(closes: isLast), faults)
                return !isLast
            }
        }
        switch state.withLock({ $0.answer(request) }) {
        case .response(let response):
            try send(response.bytes(closes: isLast), isConcerned ? faults : Faults())
            return !isLast
        case .watch(let plan):
            try WatchService(connection, state: state, plan: plan, request: request).run()
            return !isLast
        }
    }

    private func failure(_ code: Int, _ faults: Faults) -> ServedResponse {
        let reasons = [
            429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
            401: "Unauthorized", 403: "Forbidden",
        ]
        var status = APIStatus(
            code: code, reason: reasons[code] ?? "", message: "the server answers \(code) because it was told to")
        if let seconds = faults.retryAfter {
            status.headers = [("Retry-After", String(seconds))]
            status.details = .object(["retryAfterSeconds": .integer(Int64(seconds))])
        }
        return status.response
    }

    private func send(_ bytes: [UInt8], _ faults: Faults) throws {
        guard let size = faults.trickle else { return try connection.write(bytes) }
        for start in stride(from: 0, to: bytes.count, by: max(1, size)) {
            try connection.write(Array(bytes[start..<min(start + size, bytes.count)]))
            try pause(.milliseconds(10))
        }
    }

    /// Waits, or ends early with the connection.
    private func pause(_ duration: Duration) throws {
        let end = MonotonicTime.now() + duration
        while MonotonicTime.now() < end {
            if connection.isOver { throw HTTPConnection.Failure.interrupted }
            _ = try pollReadable([], timeout: min(.milliseconds(50), end - .now()))
        }
    }
}
