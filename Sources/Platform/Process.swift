internal import CLinux
internal import Glibc

/// The process and the host it runs on.
public enum Host {
    /// Processors this process may run on, by affinity and by the cgroup's CPU quota (rounded up), at least 1.
    public static var usableProcessors: Int {
        let byAffinity = max(1, Int(sluice_usable_cpus()))
        guard let quota = cgroupProcessorQuota() else { return byAffinity }
        return max(1, min(byAffinity, Int(quota.rounded(.up))))
    }

    /// Bytes the cgroup allows (memory.max of v2, or v1's limit); nil without a limit.
    public static var memoryLimit: Int64? {
        for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
            if let text = try? readFile(path), let value = Int64(firstWord(text)), value < 1 << 60 { return value }
        }
        return nil
    }

    /// Raises the soft limit of descriptors to the hard one and returns what holds.
    public static func raiseDescriptorLimit() -> Int {
        var soft: UInt64 = 0
        _ = sluice_raise_descriptor_limit(&soft)
        return Int(clamping: soft)
    }

    /// No crash leaves an image of the process's memory, and no other process of the same user may look into it, by ptrace or
    /// /proc: there are keys in it. Programs that it starts may be looked into, and leave no core file either.
    public static func forbidCoreDumps() throws(Errno) { try checked(sluice_forbid_core_dumps()) }

    /// From here on the calling thread zeroes what it frees, whoever allocated it: Swift, or a C library. Only in the program `sluice`
    /// (module CHeap). For threads that read keys, whose copies libraries leave behind; not for those that move bytes.
    public static func wipeFreedMemory() { sluice_wipe_freed_memory() }

    public static var processIdentifier: Int32 { getpid() }
    /// The effective one.
    public static var userIdentifier: UInt32 { geteuid() }

    /// The commit this binary was built from, with `-dirty` where the tree differed; `unknown` where the build did not say.
    public static var buildCommit: String { String(cString: sluice_build_commit()) }

    /// Ends the process at once, with C's exit handlers.
    public static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// Gives free memory of the heap back to the system; takes milliseconds for hundreds of megabytes.
    public static func giveBackMemory() { sluice_give_back_memory() }

    /// The value of an environment variable.
    public static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func cgroupProcessorQuota() -> Double? {
        guard let text = try? readFile("/sys/fs/cgroup/cpu.max") else { return nil }
        let words = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 else {
            return nil
        }
        return quota / period
    }

    private static func firstWord(_ bytes: [UInt8]) -> String {
        String(String(decoding: bytes, as: UTF8.self).prefix { !$0.isWhitespace })
    }
}

/// A child process started without a shell, with chosen standard streams and a clean signal mask.
public final class ChildProcess: Sendable {
    public enum Ending: Hashable, Sendable { case exited(code: Int32), signalled(Int32) }

    public let identifier: Int32
    private let ending = Locked<Ending?>(nil)

    /// Starts `arguments` (the program is looked up in PATH) with `environment` on top of this process's own variables.
    /// Streams are descriptors; nil inherits, and `error` follows `output` where it is not given.
    public init(
        _ arguments: [String], environment: [String: String] = [:], input: Int32? = nil, output: Int32? = nil,
        error: Int32? = nil
    ) throws(Errno) {
        guard let program = arguments.first else { throw .noEntry }
        var merged: [String: String] = [:]
        var entry = environ
        while let variable = entry.pointee {
            let text = String(cString: variable)
            if let equals = text.firstIndex(of: "=") {
                merged[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        merged.merge(environment) { $1 }
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = merged.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: Int32 = 0
        let result = sluice_spawn(program, &argv, &envp, input ?? -1, output ?? -1, error ?? output ?? -1, &pid)
        guard result == 0 else { throw Errno(rawValue: -result) }
        identifier = pid
    }

    /// Sends a signal unless the child was already reaped.
    public func signal(_ number: Int32) {
        ending.withLock { if $0 == nil { _ = sluice_kill(identifier, number) } }
    }

    /// How it ended, or nil while it runs. Reaps.
    public func poll() -> Ending? {
        ending.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard sluice_wait(identifier, 1, &status) > 0 else { return nil }
            let ended: Ending = status & 0x7f == 0 ? .exited(code: status >> 8 & 0xff) : .signalled(status & 0x7f)
            known = ended
            return ended
        }
    }

    /// Waits for its end.
    public func wait() -> Ending {
        while true {
            if let ended = poll() { return ended }
            usleep(2000)
        }
    }
}
