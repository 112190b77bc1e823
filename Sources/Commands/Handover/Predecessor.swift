internal import Observability
internal import Platform

/// The side of a process that serves: passes its listening sockets to a successor, and goes on until that could serve. At any
/// failure of the successor's everything stays as it was. Used on one thread.
final class Predecessor {
    /// What there is to pass on.
    struct Loan {
        /// Copies of all listening sockets, for the caller to close.
        var copy: () throws(Errno) -> [Int32]
        /// Whether sockets are with a successor that is not ready yet.
        var setLending: (Bool) -> Void
    }

    private struct Talk {
        let socket: MessageSocket
        /// Where this process started it.
        let child: ChildProcess?
        let pid: Int32
        let deadline: MonotonicTime
        var hasGreeted = false
        /// Copies that are not sent yet.
        var left: [Int32] = []
    }

    /// Longer than ``Takeover/readinessTime``: the successor knows best what it waits for.
    static let patience = Duration.seconds(60)

    private let program: [String]
    private let loan: Loan
    private let logger: Logger
    private var listener: HandoverListener?
    private var talk: Talk?
    /// One that this process has let go to, and is the parent of.
    private var successor: MessageSocket?

    /// `program`: with its arguments, what is started as the successor.
    init(program: [String], loan: Loan, logger: Logger) {
        (self.program, self.loan, self.logger) = (program, loan, logger)
    }

    /// A successor that somebody else starts comes to this path.
    func listen(at path: String) throws(StartFailure) {
        do throws(Errno) { listener = HandoverListener(try MessageSocket.listen(at: path)) } catch {
            throw StartFailure("sluice run: --handover-socket: \(path): \(error)")
        }
    }

    /// What to wait for between two turns.
    var descriptors: [Int32] {
        if let talk { return [talk.socket.raw] }
        return listener.map { [$0.socket.raw] } ?? []
    }

    /// When to take a turn at the latest.
    var due: MonotonicTime? { talk?.deadline }

    /// Starts the program that stands at this process's path now, with the same arguments.
    func startSuccessor() {
        guard talk == nil else { return logger.warning("a successor is starting already") }
        do throws(Errno) {
            let (ours, theirs) = try MessageSocket.pair()
            defer { InheritedDescriptor.close(theirs) }
            let child = try ChildProcess(program, environment: [Takeover.variable: "stdin"], input: theirs)
            talk = Talk(socket: ours, child: child, pid: child.identifier, deadline: .now() + Predecessor.patience)
            logger.info("successor started", ["pid": LogValue(child.identifier), "program": LogValue(program[0])])
        } catch {
            logger.error(
                "the successor cannot be started",
                ["program": LogValue(program.first ?? ""), LogKey.error: LogValue(describing: error)])
        }
    }

    /// Deals with what has come. The pid of a successor that is ready, and waits for ``release()``; else nil.
    func turn() -> Int32? {
        if talk == nil { takeCaller() }
        do throws(Errno) {
            while let talk, let message = try talk.socket.receive() {
                for raw in message.descriptors { InheritedDescriptor.close(raw) }
                switch HandoverMessage(message.text) {
                case .greeting where !talk.hasGreeted: try greet()
                case .more where talk.hasGreeted: try sendSome()
                case .ready where talk.hasGreeted && talk.left.isEmpty: return talk.pid
                case .end: giveUp("it ended before it was ready")
                default: cancel("it speaks another protocol")
                }
            }
        } catch { giveUp("\(error)") }
        if let talk, talk.deadline <= .now() { cancel("it was not ready in time") }
        return nil
    }

    /// This process accepts no more: the successor may.
    func release() {
        try? talk?.socket.send(HandoverMessage.released.text)
        successor = talk?.child == nil ? nil : talk?.socket
        close()
    }

    /// Whether a successor of ours died after ``release()``. Not where it ended in order, or handed over in turn: it says so.
    func hasLostSuccessor() -> Bool {
        guard let successor else { return false }
        do throws(Errno) {
            guard let message = try successor.receive() else { return false }
            for raw in message.descriptors { InheritedDescriptor.close(raw) }
            self.successor = nil
            return HandoverMessage(message.text) == .end
        } catch { return true }
    }

    /// This process ends: a successor that is not ready ends, too.
    func cancel(_ why: String) {
        guard let talk else { return close() }
        try? talk.socket.send(HandoverMessage.cancelled(why).text)
        talk.child?.signal(ProcessSignal.terminate.rawValue)
        giveUp(why)
    }

    /// Nobody can take over any more.
    func close() { (talk, listener) = (nil, nil) }

    private func takeCaller() {
        guard let listener, let socket = try? MessageSocket.accept(from: listener.socket) else { return }
        guard let peer = socket.peer, peer.user == Host.userIdentifier || peer.user == 0 else {
            return logger.warning(
                "a process of another user asked for the listening sockets", ["user": LogValue(socket.peer?.user ?? 0)])
        }
        talk = Talk(socket: socket, child: nil, pid: peer.pid, deadline: .now() + Predecessor.patience)
        logger.info("successor came", ["pid": LogValue(peer.pid)])
    }

    private func greet() throws(Errno) {
        loan.setLending(true)
        talk?.hasGreeted = true
        talk?.left = try loan.copy()
        try sendSome()
    }

    private func sendSome() throws(Errno) {
        guard let talk else { return }
        let part = Array(talk.left.prefix(MessageSocket.descriptorLimit))
        self.talk?.left.removeFirst(part.count)
        defer { for raw in part { InheritedDescriptor.close(raw) } }
        try talk.socket.send(
            HandoverMessage.sockets(left: talk.left.count - part.count).text, descriptors: part)
    }

    private func giveUp(_ why: String) {
        guard let talk else { return }
        for raw in talk.left { InheritedDescriptor.close(raw) }
        self.talk = nil
        loan.setLending(false)
        logger.error(
            "the successor did not take over",
            ["pid": LogValue(talk.pid), "problem": LogValue(why + ending(of: talk.child))])
    }

    /// How a child ended, where it has; the kernel may take a moment to say so.
    private func ending(of child: ChildProcess?) -> String {
        guard let child else { return "" }
        let deadline = MonotonicTime.now() + .milliseconds(500)
        while MonotonicTime.now() < deadline {
            switch child.poll() {
            case .exited(let code): return " (exit code \(code))"
            case .signalled(let number): return " (signal \(number))"
            case nil: _ = try? pollReadable([], timeout: .milliseconds(5))
            }
        }
        return ""
    }
}

/// Holds the socket that is listened at.
private final class HandoverListener {
    let socket: FileDescriptor

    init(_ socket: consuming FileDescriptor) { self.socket = socket }
}
