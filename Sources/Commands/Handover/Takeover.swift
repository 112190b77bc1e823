internal import Observability
internal import Platform

/// The successor's side: sockets come from a process that goes on serving until this one could.
final class Takeover: Sendable {
    private let socket: MessageSocket
    /// The predecessor's listening sockets; who takes them owns them.
    let descriptors: [Int32]

    /// In the environment of a process that a predecessor started: the other end stands at its standard input.
    static let variable = "SLUICE_HANDOVER"
    /// Each answer of the predecessor may take that long.
    static let answerTime = Duration.seconds(10)
    /// To read everything, and to hear from health checks.
    static let readinessTime = Duration.seconds(45)

    /// Nil: nobody is there to take over from. `path`: where a predecessor listens.
    static func begin(_ environment: (String) -> String?, path: String?) throws(StartFailure) -> Takeover? {
        do throws(Errno) {
            if environment(variable) == "stdin" {
                // One that was made for another process is none.
                let socket = MessageSocket(try InheritedDescriptor.takeStandardInput())
                if socket.peer != nil { return try Takeover(socket) }
            }
            guard let path else { return nil }
            do throws(Errno) { return try Takeover(.connect(to: path)) } catch {
                guard error == .connectionRefused || error == .noEntry else { throw error }
                return nil
            }
        } catch { throw StartFailure("sluice run: the listening sockets of the predecessor: \(error)") }
    }

    private init(_ socket: MessageSocket) throws(Errno) {
        self.socket = socket
        var descriptors: [Int32] = []
        do throws(Errno) {
            try socket.send(HandoverMessage.greeting(version: sluiceVersion).text)
            var left = 1
            while left > 0 {
                guard let message = try Takeover.receive(from: socket, until: .now() + Takeover.answerTime) else {
                    throw .timedOut
                }
                guard case .sockets(let more) = HandoverMessage(message.text) else { throw .connectionReset }
                descriptors += message.descriptors
                left = more
                if left > 0 { try socket.send(HandoverMessage.more.text) }
            }
        } catch {
            for raw in descriptors { InheritedDescriptor.close(raw) }
            throw error
        }
        self.descriptors = descriptors
    }

    /// For ``pollReadable(_:timeout:)``: something has been said.
    var raw: Int32 { socket.raw }

    func announceReady() { try? socket.send(HandoverMessage.ready.text) }

    /// The predecessor is to let this process end without ending with it.
    func sayFarewell() { try? socket.send(HandoverMessage.farewell.text) }

    /// What the predecessor says next; nil where it says nothing until then. ``HandoverMessage/end``: it is gone.
    func next(until deadline: MonotonicTime) -> HandoverMessage? {
        do throws(Errno) {
            guard let message = try Takeover.receive(from: socket, until: deadline) else { return nil }
            for raw in message.descriptors { InheritedDescriptor.close(raw) }
            return HandoverMessage(message.text)
        } catch { return .end }
    }

    private static func receive(
        from socket: MessageSocket, until deadline: MonotonicTime
    ) throws(Errno) -> (text: String, descriptors: [Int32])? {
        while true {
            if let message = try socket.receive() { return message }
            let left = deadline - .now()
            if left <= .zero { return nil }
            _ = try pollReadable([socket.raw], timeout: left)
        }
    }
}
