internal import Platform

/// The `process_*` metrics, under Prometheus' standard names. What the host does not tell is left out.
public enum ProcessMetrics {
    public static func append(to output: inout PrometheusText) {
        appendDescriptors(to: &output)
        appendStatus(to: &output)
        output.family(.processCPU) { $0.sample(.empty, nanoseconds: UInt64(clamping: processCPUNanoseconds())) }
        if let start = startTime { output.single(.processStart, double: start) }
    }

    private static func appendDescriptors(to output: inout PrometheusText) {
        if let open = try? countDirectoryEntries("/proc/self/fd") {
            output.single(.processOpenDescriptors, UInt64(open))
        }
        let limits = (try? readFile("/proc/self/limits")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        // Max open files            1024                 524288               files
        guard let line = limits.split(separator: "\n").first(where: { $0.hasPrefix("Max open files ") }),
            let soft = line.split(separator: " ").dropFirst(3).first
        else { return }
        if let soft = UInt64(soft) {
            output.single(.processMaxDescriptors, soft)
        } else if soft == "unlimited" {
            output.single(.processMaxDescriptors, double: .infinity)
        }
    }

    private static func appendStatus(to output: inout PrometheusText) {
        guard let bytes = try? readFile("/proc/self/status") else { return }
        var values: [Substring: UInt64] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            // VmRSS:      1234 kB
            guard words.count >= 2, let value = UInt64(words[1]) else { continue }
            values[words[0]] = words.last == "kB" ? value * 1024 : value
        }
        let wanted: [(MetricDescriptor, Substring)] = [
            (.processResidentMemory, "VmRSS:"), (.processVirtualMemory, "VmSize:"), (.processThreads, "Threads:"),
        ]
        for (descriptor, key) in wanted {
            if let value = values[key] { output.single(descriptor, value) }
        }
    }

    /// Seconds since 1970; found once, because the boot time that the kernel tells moves with the clock.
    private static let startTime: Double? = {
        guard let stat = try? readFile("/proc/self/stat"), let system = try? readFile("/proc/stat") else { return nil }
        let boot = String(decoding: system, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("btime ") }?.split(separator: " ").last.flatMap { Double($0) }
        // The name in parentheses may hold anything, parentheses too; the 22nd field counts hundredths since the boot.
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard let boot, fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        return boot + ticks / 100
    }()
}
