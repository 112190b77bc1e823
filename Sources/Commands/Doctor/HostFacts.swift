internal import Platform

/// What there is to know of the host that this process runs on. What cannot be read is absent.
struct HostFacts: Codable, Hashable, Sendable {
    var kernel: String?
    var distribution: String?
    var processors = Host.usableProcessors
    /// Bytes of the cgroup.
    var memoryLimit: Int64?
    var memoryUsed: Int64?
    /// `MemTotal` and the like, as /proc/meminfo has them.
    var memory: [String] = []
    var hardDescriptorLimit: Int?
    var limits: [String] = []
    /// Of the kernel, by name.
    var settings: [String: String] = [:]
    /// `/proc/net/sockstat` and its like of IPv6.
    var sockets: [String] = []
    var cpuStatistics: [String] = []
    var load: String?
    var trackedConnections: Int?
    var trackedConnectionLimit: Int?

    private static let names = [
        "fs.file-max", "fs.file-nr", "fs.nr_open", "fs.pipe-user-pages-soft", "kernel.pid_max", "net.core.somaxconn",
        "net.core.rmem_max", "net.core.wmem_max", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_congestion_control",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_mem", "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_wmem",
        "net.ipv4.ip_unprivileged_port_start", "net.ipv6.conf.all.disable_ipv6",
    ]

    /// Reads them below `root`, such as a folder of a test's.
    init(root: String = "") {
        func text(_ path: String) -> String? {
            (try? readFile(root + path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
        }
        func line(_ path: String) -> String? { text(path)?.split(separator: "\n").first.map(String.init) }
        func lines(_ path: String) -> [String] { text(path)?.split(separator: "\n").map(String.init) ?? [] }
        func number(_ path: String) -> Int? { line(path).flatMap { Int($0) } }
        kernel = line("/proc/version")
        distribution = lines("/etc/os-release").first { $0.hasPrefix("PRETTY_NAME=") }?
            .dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
        memoryLimit = root.isEmpty ? Host.memoryLimit : number("/sys/fs/cgroup/memory.max").map(Int64.init)
        memoryUsed = number("/sys/fs/cgroup/memory.current").map(Int64.init)
        memory = Array(lines("/proc/meminfo").prefix(5))
        limits = lines("/proc/self/limits")
        hardDescriptorLimit = limits.first { $0.hasPrefix("Max open files") }
            .flatMap { $0.split(separator: " ").compactMap { Int($0) }.last }
        for name in HostFacts.names {
            settings[name] = line("/proc/sys/" + name.split(separator: ".").joined(separator: "/"))
        }
        sockets = lines("/proc/net/sockstat") + lines("/proc/net/sockstat6")
        cpuStatistics = lines("/sys/fs/cgroup/cpu.stat")
        load = line("/proc/loadavg")
        trackedConnections = number("/proc/sys/net/netfilter/nf_conntrack_count")
        trackedConnectionLimit = number("/proc/sys/net/netfilter/nf_conntrack_max")
    }
}
