internal import Controller
internal import FoundationEssentials
internal import Inspection

/// All that was looked at, and what is wrong with it. Values, but for the source that it is made from.
struct DoctorReport: Sendable {
    private(set) var findings: [Finding] = []
    /// By name, in the order in which they were asked for.
    private(set) var files: [(name: String, content: [UInt8])] = []
    private let showsClientAddresses: Bool

    /// Asks for everything. `now`: seconds since 1970. `host`: nil where the gateway runs on another one.
    init(_ source: some DoctorSource, host: HostFacts?, now: Int64, showsClientAddresses: Bool) {
        self.showsClientAddresses = showsClientAddresses
        if let problem = source.admin("/paths").problem {
            findings.append(
                Finding(
                    .error, "admin address", problem,
                    advice: "check that the gateway runs, and where its --admin-address is"))
        } else {
            askAdmin(source, now: now)
        }
        askProbes(source)
        if let host {
            findings += Commands.findings(in: host)
            add("host.json", host)
        }
        findings = findings.bySeverity
    }

    private mutating func askAdmin(_ source: some DoctorSource, now: Int64) {
        if let tree: StatusTree = take(source, "/status", "status.json") {
            findings += Commands.findings(in: tree, now: now)
        }
        if let traffic: LiveTraffic = take(source, "/traffic", "traffic.json") {
            findings += Commands.findings(in: traffic)
        }
        let _: [ConfigurationStep]? = take(source, "/history", "history.json")
        let configuration = source.admin("/config")
        if let content = configuration.content { add("config.json", content) } else { note("/config", configuration) }
        let answer = source.admin("/connections?limit=10000")
        guard var list: ConnectionList = decoded(answer, "/connections") else { return }
        if !showsClientAddresses {
            var mask = ClientMask()
            list = mask.masked(list)
        }
        add("connections.json", ConnectionSummary(list))
    }

    private mutating func askProbes(_ source: some DoctorSource) {
        let ready = source.probe("/readyz?verbose")
        if let problem = ready.problem {
            findings.append(
                Finding(
                    .warning, "probe address", problem,
                    advice: "say where it is with --probe-address; without it readiness and metrics are not known"))
            return
        }
        add("readyz.json", ready.body)
        if ready.status != 200 {
            findings.append(
                Finding(
                    .error, "/readyz", "the gateway is not ready: \(ready.text.prefix { !$0.isNewline })",
                    advice: "the reasons name what it waits for; its log says more"))
        }
        let metrics = source.probe("/metrics")
        guard let content = metrics.content else { return note("/metrics", metrics) }
        add("metrics.txt", content)
        findings += Commands.findings(in: MetricSamples(metrics.text))
    }

    // MARK: Files

    private mutating func take<Value: Decodable>(_ source: some DoctorSource, _ path: String, _ name: String) -> Value?
    {
        let answer = source.admin(path)
        guard let value: Value = decoded(answer, path) else { return nil }
        add(name, answer.body)
        return value
    }

    private mutating func decoded<Value: Decodable>(_ answer: DoctorAnswer, _ path: String) -> Value? {
        guard let content = answer.content else {
            note(path, answer)
            return nil
        }
        if let value = try? JSONDecoder().decode(Value.self, from: Data(content)) { return value }
        findings.append(
            Finding(
                .warning, path, "its answer is not understood", advice: "use the sluice of the gateway's own version"))
        return nil
    }

    private mutating func note(_ path: String, _ answer: DoctorAnswer) {
        let problem = answer.problem ?? "answered \(answer.status ?? 0): \(answer.text.prefix(200))"
        findings.append(
            Finding(
                .warning, path, problem, advice: "without it this report is incomplete; the gateway's log may say why"))
    }

    private mutating func add(_ name: String, _ value: some Encodable) {
        if let content = try? encodeJSON(value) { add(name, content) }
    }

    private mutating func add(_ name: String, _ content: [UInt8]) { files.append((name, withoutPrivateKeys(content))) }
}

extension DoctorReport {
    /// For people.
    var text: String {
        guard !findings.isEmpty else { return "Nothing is wrong, as far as can be seen from here.\n" }
        let counts = Finding.Severity.allCases.compactMap { severity -> String? in
            let count = findings.count(severity)
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return counts.joined(separator: ", ") + "\n"
            + findings.map { finding in
                "\n\(finding.severity.rawValue.uppercased())  \(finding.subject): \(finding.problem)\n    \(finding.advice)\n"
            }.joined()
    }
}
