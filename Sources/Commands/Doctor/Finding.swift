/// What `sluice doctor` found. Encodes as docs/reference/cli.md describes.
struct Finding: Codable, Hashable, Sendable {
    enum Severity: String, Codable, Hashable, Sendable, CaseIterable {
        /// Traffic fails, or will soon.
        case error
        /// Something should be seen to.
        case warning
        /// Good to know.
        case note
    }

    var severity: Severity
    /// The object, the metric or the setting that it is about.
    var subject: String
    var problem: String
    /// What to do.
    var advice: String

    init(_ severity: Severity, _ subject: String, _ problem: String, advice: String) {
        (self.severity, self.subject, self.problem, self.advice) = (severity, subject, problem, advice)
    }
}

extension [Finding] {
    /// The worst first, else in the order they were found in; none twice.
    var bySeverity: [Finding] {
        var seen: Set<Finding> = []
        let unique = filter { seen.insert($0).inserted }
        return Finding.Severity.allCases.flatMap { severity in unique.filter { $0.severity == severity } }
    }

    /// Whether something is wrong.
    var isBad: Bool { contains { $0.severity != .note } }

    func count(_ severity: Finding.Severity) -> Int { count { $0.severity == severity } }
}
