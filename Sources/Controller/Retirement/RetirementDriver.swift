internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// Sends what a book of statuses says until nothing is left to write, or time is over.
final class RetirementDriver {
    private let server: any APIServer
    private let settings: Retirement.Settings
    private let deadline: MonotonicTime
    private var inFlight = 0
    private(set) var written: Set<StatusTarget> = []
    /// What is not done, with the last that was heard of it.
    private(set) var failures: [StatusTarget: String] = [:]

    init(server: any APIServer, settings: Retirement.Settings, deadline: MonotonicTime) {
        (self.server, self.settings, self.deadline) = (server, settings, deadline)
    }

    private typealias Answers = [(write: StatusBook.Write, answer: Result<APIResponse, APIError>)]

    func run(_ book: inout StatusBook) {
        let answers = Monitored(Answers())
        while MonotonicTime.now() < deadline {
            while let write = book.next(now: .now(), wall: wallSeconds()) { send(write, answers) }
            // Those that were refused wait for a change that nobody will make.
            let isDone = book.entries.values.allSatisfy { $0.phase == .idle || $0.isRefused }
            if inFlight == 0, isDone { break }
            let wake = min(book.wakeTime(after: .now()) ?? deadline, deadline)
            let taken = answers.wait(until: wake) { answers in
                guard !answers.isEmpty else { return nil as Answers? }
                defer { answers = [] }
                return answers
            }
            for (write, answer) in taken ?? [] { receive(answer, to: write, &book, answers) }
        }
        for (target, entry) in book.entries where entry.phase != .idle && failures[target] == nil {
            failures[target] = "there was no time left"
        }
    }

    private func send(_ write: StatusBook.Write, _ answers: Monitored<Answers>) {
        inFlight += 1
        let request = write.request(fieldManager: ClusterWriter.fieldManager(of: settings.controllerName))
        server.send(request, lane: .writes) { answer in answers.update { $0.append((write, answer)) } }
    }

    private func receive(
        _ answer: Result<APIResponse, APIError>, to write: StatusBook.Write, _ book: inout StatusBook,
        _ answers: Monitored<Answers>
    ) {
        inFlight -= 1
        switch (answer, write.action) {
        case (.success, .patch):
            written.insert(write.target)
            failures[write.target] = nil
        case (.failure(let error), _) where error.code == 404: failures[write.target] = nil
        case (.failure(let error), _): failures[write.target] = "\(error)"
        case (.success, .read): break
        }
        let next = book.receive(
            answer.flatMap { ObservedStatus.read($0, version: write.version) }, to: write, now: .now(),
            wall: wallSeconds())
        book.remarks = []
        if let next {
            send(next, answers)
        } else if book.entries[write.target]?.phase == .idle {
            failures[write.target] = nil
        }
    }
}
