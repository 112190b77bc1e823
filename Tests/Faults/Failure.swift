import CFaults
import Glibc

/// One way in which one call fails.
struct Failure: Sendable {
    let call: String
    let error: String
    /// Sum of FAULTS_SOCKETS and its like.
    let kinds: Int
    /// The command of fcntl, the operation of epoll_ctl; -1: any.
    let operation: Int32
    /// Each so many calls of a thread fail, at first: rare ones more often than frequent ones.
    let every: UInt32
    /// Without what else it is never met; as a line of the table.
    let cause: String?
    let name: String
    /// Whether it is no failure at all to clients: the call is made again, sooner or later.
    var isHarmless: Bool {
        cause == nil && ["EINTR", "EAGAIN", "partial"].contains(error) && call != "connect" && call != "sendmsg"
    }

    /// `every` 0: by chance, so many of a million.
    func rule(every: UInt32, perMillion: UInt32 = 0) -> faults_rule {
        faults_rule(
            call: Failure.calls[call] ?? -1, error: Failure.errors[error] ?? 0, kinds: Int32(kinds),
            operation: operation,
            every: every, per_million: perMillion)
    }

    /// Of calls, by name.
    static let calls: [String: Int32] = {
        var calls: [String: Int32] = [:]
        while let name = faults_call_name(Int32(calls.count)) { calls[String(cString: name)] = Int32(calls.count) }
        return calls
    }()

    /// By name; `partial` is no errno.
    static let errors: [String: Int32] = [
        "partial": FAULTS_PARTIAL, "EINTR": EINTR, "EAGAIN": EAGAIN, "ECONNABORTED": ECONNABORTED, "EMFILE": EMFILE,
        "ENFILE": ENFILE, "ENOMEM": ENOMEM, "ENOBUFS": ENOBUFS, "EPIPE": EPIPE, "ECONNRESET": ECONNRESET,
        "ETIMEDOUT": ETIMEDOUT, "EINVAL": EINVAL, "EPERM": EPERM, "EACCES": EACCES, "EADDRINUSE": EADDRINUSE,
        "EADDRNOTAVAIL": EADDRNOTAVAIL, "ECONNREFUSED": ECONNREFUSED, "ENETUNREACH": ENETUNREACH,
        "EHOSTUNREACH": EHOSTUNREACH, "ENOSPC": ENOSPC, "EIO": EIO, "EDQUOT": EDQUOT, "ENOSYS": ENOSYS,
        "ENOTCONN": ENOTCONN, "EBUSY": EBUSY, "EPROTO": EPROTO, "ENODEV": ENODEV, "EAFNOSUPPORT": EAFNOSUPPORT,
    ]

    private static let kindNumbers = [
        "sockets": FAULTS_SOCKETS, "pipes": FAULTS_PIPES, "files": FAULTS_FILES, "others": FAULTS_OTHERS,
        "any": FAULTS_ANY,
    ]
    private static let operations: [String: Int32] = [
        "-": -1, "ADD": 1, "DEL": 2, "MOD": 3, "GETFL": F_GETFL, "SETFL": F_SETFL, "DUPFD": F_DUPFD_CLOEXEC,
        "SETPIPE_SZ": 1031, "GETPIPE_SZ": 1032,
    ]

    /// The rules of a trial, its own first.
    func rules(every: UInt32) -> [faults_rule] {
        [rule(every: every)] + (cause.map { Failure.of(line: $0) } ?? []).map { $0.rule(every: $0.every) }
    }

    /// One call a line, behind `|` what else has to fail for it to be met: which operation, of what descriptors, how often at first, and what its manual page says it may answer.
    /// `read` and `write` of sockets are OpenSSL's, of others eventfds', of pipes those that a broken splice leaves full, of
    /// files the access log's; `recvfrom`, `writev` and `getsockname` are c-ares'; `sendmsg` and `recvmsg` hand sockets over.
    private static let table = """
        accept4       -          any     3  EINTR EAGAIN ECONNABORTED EMFILE ENFILE ENOMEM ENOBUFS EPERM EPROTO
        bind          -          any     2  EADDRINUSE EACCES EADDRNOTAVAIL ENOMEM ENOBUFS
        close         -          any     2  EINTR EIO
        connect       -          any     2  EINTR EAGAIN ECONNREFUSED ETIMEDOUT ENETUNREACH EHOSTUNREACH EADDRNOTAVAIL ENOMEM ENOBUFS EPERM
        epoll_create1 -          any     2  EMFILE ENFILE ENOMEM
        epoll_ctl     ADD        any     4  ENOMEM ENOSPC
        epoll_ctl     MOD        any     2  ENOMEM | accept4 - any 3 EMFILE
        epoll_pwait2  -          any     2  EINTR ENOSYS EPERM
        epoll_wait    -          any     3  EINTR
        eventfd       -          any     3  EMFILE ENFILE ENOMEM ENODEV
        fcntl         DUPFD      any     2  EMFILE
        fcntl         SETPIPE_SZ any     1  EPERM EBUSY ENOMEM
        getsockname   -          any     1  ENOBUFS
        getsockopt    -          any     1  ENOBUFS ENOMEM
        listen        -          any     2  EADDRINUSE ENOMEM
        open          -          any     1  EMFILE ENFILE ENOMEM ENOSPC EACCES
        open          -          any     2  EINTR
        pipe2         -          any     1  EMFILE ENFILE
        poll          -          any     3  EINTR ENOMEM
        pthread_create -         any     4  EAGAIN
        read          -          sockets 4  EINTR EAGAIN ECONNRESET ETIMEDOUT ENOMEM partial
        read          -          pipes   1  EAGAIN partial | splice - pipes 3 EPIPE
        read          -          others  2  EINTR
        recv          -          sockets 4  EINTR EAGAIN ECONNRESET ETIMEDOUT ENOMEM EHOSTUNREACH partial
        recvfrom      -          sockets 2  EINTR EAGAIN ECONNREFUSED ENOMEM
        recvmsg       -          sockets 2  EINTR ENOMEM EMFILE
        send          -          sockets 4  EINTR EAGAIN EPIPE ECONNRESET ENOMEM ENOBUFS ETIMEDOUT partial
        sendmsg       -          sockets 2  EINTR EAGAIN ENOMEM ENOBUFS EPIPE
        setsockopt    -          any     2  ENOMEM ENOBUFS EINVAL
        shutdown      -          any     2  ENOTCONN
        socket        -          any     2  EMFILE ENFILE ENOMEM ENOBUFS EAFNOSUPPORT EACCES
        socketpair    -          any     1  EMFILE ENFILE ENOMEM
        splice        -          sockets 4  EINTR EAGAIN EINVAL ENOMEM ECONNRESET partial
        splice        -          pipes   4  EINTR EAGAIN ENOMEM EPIPE ECONNRESET partial
        write         -          sockets 4  EINTR EAGAIN EPIPE ECONNRESET ENOMEM ENOBUFS partial
        write         -          others  2  EINTR EAGAIN
        write         -          files   1  ENOSPC EIO EDQUOT partial
        write         -          files   2  EINTR
        writev        -          sockets 1  ECONNRESET EPIPE ENOBUFS
        """

    /// Every failure that is tried.
    static let all: [Failure] = table.split(separator: "\n").flatMap { of(line: String($0)) }

    private static func of(line: String) -> [Failure] {
        let halves = line.split(separator: "|")
        let words = halves[0].split(separator: " ").map(String.init)
        guard words.count > 4, let operation = operations[words[1]], let kinds = kindNumbers[words[2]],
            calls[words[0]] != nil,
            let every = UInt32(words[3]), words[4...].allSatisfy({ errors[$0] != nil })
        else { fatalError("a line of the table cannot be read: \(line)") }
        let what = words[0] + (operation < 0 ? "" : "(\(words[1]))") + (words[2] == "any" ? "" : " of \(words[2])")
        return words[4...].map {
            Failure(
                call: words[0], error: $0, kinds: kinds, operation: operation, every: every,
                cause: halves.count > 1 ? String(halves[1]) : nil, name: "\(what): \($0)")
        }
    }
}
