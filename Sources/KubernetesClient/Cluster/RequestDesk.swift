internal import HTTPClient
internal import Platform

/// Sends requests for the cluster's thread and brings the answers back to it. What nobody waits for any more is dropped.
final class RequestDesk {
    /// What other threads leave for the cluster's thread.
    struct Mailbox: Sendable {
        var answers: [(ticket: UInt64, result: Result<APIResponse, APIError>)] = []
        var active: Set<UInt64> = []
        var watchesNodes: Bool?
        var stopping = false
        var stopped = false

        var isEmpty: Bool { answers.isEmpty && active.isEmpty && watchesNodes == nil && !stopping }
    }

    private let server: any APIServer
    private let mailbox: Monitored<Mailbox>
    private var lastTicket: UInt64 = 0
    private var answers: [UInt64: (Result<APIResponse, APIError>) -> Void] = [:]
    private var streams: [UInt64: () -> Void] = [:]

    init(server: any APIServer, mailbox: Monitored<Mailbox>) { (self.server, self.mailbox) = (server, mailbox) }

    /// The ticket is for ``forget(_:)``.
    func send(_ request: APIRequest, then handle: @escaping (Result<APIResponse, APIError>) -> Void) -> UInt64 {
        lastTicket += 1
        let (ticket, mailbox) = (lastTicket, mailbox)
        answers[ticket] = handle
        server.send(request, lane: .watches) { result in
            mailbox.update { $0.answers.append((ticket, result)) }
        }
        return ticket
    }

    /// `onActivity` is called on the cluster's thread.
    func open(_ request: APIRequest, isFresh: Bool, onActivity: @escaping () -> Void) -> (UInt64, any HTTPStream) {
        lastTicket += 1
        let (ticket, mailbox) = (lastTicket, mailbox)
        streams[ticket] = onActivity
        let stream = server.stream(request, isFresh: isFresh) {
            mailbox.update { _ = $0.active.insert(ticket) }
        }
        return (ticket, stream)
    }

    func forget(_ ticket: UInt64) { (answers[ticket], streams[ticket]) = (nil, nil) }

    /// Hands out what has come.
    func deliver(_ mail: Mailbox) {
        for (ticket, result) in mail.answers { answers.removeValue(forKey: ticket)?(result) }
        for ticket in mail.active.sorted() { streams[ticket]?() }
    }
}
