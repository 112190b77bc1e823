internal import Observability

// What is wrong with the process and the host it runs on.

/// Samples of Prometheus' text format.
struct MetricSamples: Sendable {
    private var samples: [(series: Substring, value: Double)] = []

    init(_ text: String) {
        for line in text.split(separator: "\n") where line.first != "#" {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            samples.append((line[..<space], value))
        }
    }

    /// Its series, by their labels as they are written.
    func series(_ metric: MetricDescriptor) -> [(labels: String, value: Double)] {
        let name = metric.name
        return samples.compactMap { sample in
            guard sample.series.hasPrefix(name) else { return nil }
            let rest = sample.series.dropFirst(name.count)
            guard rest.isEmpty || rest.first == "{" else { return nil }
            return (String(rest), sample.value)
        }
    }

    func value(_ metric: MetricDescriptor) -> Double? { series(metric).first?.value }
    func sum(_ metric: MetricDescriptor) -> Double { series(metric).reduce(0) { $0 + $1.value } }
}

func findings(in metrics: MetricSamples) -> [Finding] {
    var found: [Finding] = []
    if metrics.value(.lastReload) == 0 {
        found.append(
            Finding(
                .error, MetricDescriptor.lastReload.name, "the newest manifests were not all taken over",
                advice: "sluice check on the same folder names file, line and field"))
    }
    for series in metrics.series(.overload) where series.value > 0 {
        found.append(
            Finding(
                .error, MetricDescriptor.overload.name + series.labels, "new connections wait or are refused",
                advice: "raise the limit of descriptors or the memory of the process, or run more replicas"))
    }
    for series in metrics.series(.watchSynced) where series.value == 0 {
        found.append(
            Finding(
                .error, MetricDescriptor.watchSynced.name + series.labels, "these objects are not up to date",
                advice: "the process's log says what the API server answers; check its rights and the network"))
    }
    found += cache(in: metrics)
    found += descriptors(in: metrics)
    let dropped = metrics.sum(.accessLogDropped)
    if dropped > 0 {
        found.append(
            Finding(
                .warning, MetricDescriptor.accessLogDropped.name,
                "\(Int(dropped)) lines of the access log were dropped",
                advice: "whatever reads the log is too slow: write to a file, or ask for fewer events"))
    }
    if metrics.value(.drainActive) == 1 {
        found.append(
            Finding(
                .note, MetricDescriptor.drainActive.name, "the process is shutting down", advice: "new ones take over"))
    }
    return found
}

/// Whether what is served comes from the disk, and whether it would get there.
private func cache(in metrics: MetricSamples) -> [Finding] {
    var found: [Finding] = []
    if metrics.value(.cacheServing) == 1 {
        found.append(
            Finding(
                .error, MetricDescriptor.cacheServing.name,
                "the API server has not answered since the start: the last configuration on disk is served",
                advice: "bring the API server back; what changed meanwhile is not known here"))
    }
    if metrics.series(.cacheLoads).contains(where: { $0.labels.contains("refused") && $0.value == 1 }) {
        found.append(
            Finding(
                .warning, MetricDescriptor.cacheLoads.name, "the configuration on disk was refused at the start",
                advice: "the log says why; it is written anew once the API server has answered"))
    }
    let failed = metrics.series(.cacheWrites).filter { $0.labels.contains("error") }.reduce(0) { $0 + $1.value }
    if failed > 0 {
        found.append(
            Finding(
                .warning, MetricDescriptor.cacheWrites.name, "the configuration could not be written to the disk",
                advice: "the log says why: room, rights or a key; /readyz?verbose says whether it still is so"))
    }
    return found
}

/// Whether the process has, or soon will have, no descriptor left.
private func descriptors(in metrics: MetricSamples) -> [Finding] {
    guard let open = metrics.value(.processOpenDescriptors), let most = metrics.value(.processMaxDescriptors), most > 0
    else { return [] }
    if open > 0.85 * most {
        return [
            Finding(
                .error, MetricDescriptor.processOpenDescriptors.name,
                "\(Int(open)) of \(Int(most)) descriptors are in use",
                advice: "raise the limit (ulimit -n, LimitNOFILE), or run more replicas")
        ]
    }
    guard most < 4096 else { return [] }
    return [
        Finding(
            .warning, MetricDescriptor.processMaxDescriptors.name,
            "the process may have \(Int(most)) descriptors only",
            advice: "a connection takes two or more: raise the limit (ulimit -n, LimitNOFILE)")
    ]
}

func findings(in host: HostFacts) -> [Finding] {
    var found: [Finding] = []
    if let used = host.memoryUsed, let most = host.memoryLimit, most > 0, Double(used) > 0.9 * Double(most) {
        found.append(
            Finding(
                .warning, "memory of the cgroup", "\(used >> 20) of \(most >> 20) MiB are in use",
                advice: "raise the limit, or lower --buffer-memory and --max-connections"))
    }
    if let hard = host.hardDescriptorLimit, hard < 65_536 {
        found.append(
            Finding(
                .note, "limit of descriptors", "\(hard) at most for processes that are started as this one was",
                advice: "a connection takes two or more; a gateway's own limit is process_max_fds of its metrics"))
    }
    return found + networkFindings(in: host)
}

/// What of the kernel's settings bounds connections.
private func networkFindings(in host: HostFacts) -> [Finding] {
    var found: [Finding] = []
    if let used = host.trackedConnections, let most = host.trackedConnectionLimit, most > 0,
        Double(used) > 0.9 * Double(most)
    {
        found.append(
            Finding(
                .error, "nf_conntrack", "\(used) of \(most) places for tracked connections are in use",
                advice: "the kernel drops new connections when it is full: raise net.netfilter.nf_conntrack_max"))
    }
    if let most = host.settings["net.core.somaxconn"].flatMap({ Int($0) }), most < 1024 {
        found.append(
            Finding(
                .warning, "net.core.somaxconn", "only \(most) connections may wait to be accepted",
                advice: "raise it to 4096: bursts of new connections are lost beyond it"))
    }
    let ports = host.settings["net.ipv4.ip_local_port_range"]?.split(whereSeparator: \.isWhitespace).compactMap {
        Int($0)
    }
    if let ports, ports.count == 2, ports[1] - ports[0] < 10_000 {
        found.append(
            Finding(
                .warning, "net.ipv4.ip_local_port_range",
                "\(ports[1] - ports[0] + 1) ports for connections to each endpoint",
                advice: "widen it: connections to an endpoint fail when none is left"))
    }
    return found
}
