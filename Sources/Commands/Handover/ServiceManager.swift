internal import EngineModel
internal import Observability
internal import Platform

/// What systemd, or another manager that speaks its protocol, is told by datagrams (sd_notify(3)), and what it hands over
/// (sd_listen_fds(3)).
struct ServiceManager: Sendable {
    private let path: String
    private let logger: Logger

    /// Nil where nobody wants to be told anything.
    init?(_ environment: (String) -> String?, logger: Logger) {
        guard let path = environment("NOTIFY_SOCKET"), path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        (self.path, self.logger) = (path, logger)
    }

    /// The sockets that this process was given at its start: those of socket units, and those it stored before.
    static func inherited(_ environment: (String) -> String?) -> [Int32] {
        guard let pid = environment("LISTEN_PID").flatMap({ Int32($0) }), pid == Host.processIdentifier,
            let count = environment("LISTEN_FDS").flatMap({ Int32($0) }), (1...100_000).contains(count)
        else { return [] }
        return (3..<3 + count).map { $0 }
    }

    func ready(_ status: String) { tell("READY=1", "STATUS=\(status)") }

    /// Until ``ready(_:)``.
    func reloading() {
        tell("RELOADING=1", "MONOTONIC_USEC=\(MonotonicTime.now().nanoseconds / 1000)")
    }

    func stopping(_ status: String) { tell("STOPPING=1", "STATUS=\(status)") }

    /// Another process is the service's main one from now on.
    func follow(_ pid: Int32) { tell("MAINPID=\(pid)") }

    /// Keeps copies of listening sockets, and hands them to the next process of the service.
    func store(_ binding: Binding, _ sockets: [Int32]) {
        for start in stride(from: 0, to: sockets.count, by: MessageSocket.descriptorLimit) {
            let part = Array(sockets[start..<min(sockets.count, start + MessageSocket.descriptorLimit)])
            tell("FDSTORE=1", "FDNAME=\(name(of: binding))", "FDPOLL=0", descriptors: part)
        }
    }

    func forget(_ binding: Binding) { tell("FDSTOREREMOVE=1", "FDNAME=\(name(of: binding))") }

    /// A name may hold anything but a colon.
    private func name(of binding: Binding) -> String {
        "listener-" + String(binding.description.map { $0 == ":" ? "_" : $0 })
    }

    private func tell(_ lines: String..., descriptors: [Int32] = []) {
        do throws(Errno) {
            try sendDatagram(lines.joined(separator: "\n") + "\n", descriptors: descriptors, to: path)
        } catch {
            logger.warning(
                "the service manager cannot be told",
                ["what": LogValue(lines.first ?? ""), LogKey.error: LogValue(describing: error)])
        }
    }
}
