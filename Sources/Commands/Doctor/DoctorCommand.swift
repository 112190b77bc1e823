internal import Controller
internal import FoundationEssentials
internal import Platform

/// `sluice doctor`.
public struct DoctorCommand: Sendable {
    private let options: DoctorOptions

    public init(options: DoctorOptions) { self.options = options }

    /// What to print, and the exit code: 1 when something is wrong. Blocks for as long as the gateway takes to answer.
    public func run() throws -> (output: String, exitCode: Int32) {
        let source = try RemoteDoctorSource(options)
        defer { source.close() }
        let isHere = if case .address = options.target { true } else { false }
        return try run(source, host: isHere ? HostFacts() : nil, now: realtimeNanoseconds() / 1_000_000_000)
    }

    func run(_ source: some DoctorSource, host: HostFacts?, now: Int64) throws -> (output: String, exitCode: Int32) {
        let report = DoctorReport(
            source, host: host, now: now, showsClientAddresses: options.showsClientAddresses)
        var files = report.files
        files.insert(("version.json", Array(try versionText(.json).utf8)), at: 0)
        files.insert(("findings.txt", Array(report.text.utf8)), at: 0)
        let path = options.bundle ?? "sluice-doctor-\(now).tar"
        try write(files, to: path, now: now)
        let exitCode: Int32 = report.findings.isBad ? 1 : 0
        switch options.output {
        case .text:
            let without = options.showsClientAddresses ? "" : ", without the addresses of clients"
            return (
                report.text + "\nThe bundle is \(path): \(files.count) files\(without). See that it holds nothing "
                    + "that you would not pass on.\n", exitCode
            )
        case .json:
            let output = Output(findings: report.findings, bundle: path, files: files.map(\.name))
            return (String(decoding: try encodeJSON(output), as: UTF8.self), exitCode)
        }
    }

    private struct Output: Encodable {
        var findings: [Finding]
        var bundle: String
        var files: [String]
    }

    /// Nothing that is there is written over.
    private func write(_ files: [(name: String, content: [UInt8])], to path: String, now: Int64) throws(StartFailure) {
        do {
            if path.hasSuffix(".tar") {
                var archive = TarArchive(modified: now)
                for file in files where !archive.add("sluice-doctor/\(file.name)", file.content) {
                    throw StartFailure("\(file.name) is too large for a tar archive")
                }
                try create(path, archive.finished)
            } else {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                for file in files { try create("\(path)/\(file.name)", file.content) }
            }
        } catch let failure as StartFailure {
            throw StartFailure("sluice doctor: \(failure)")
        } catch {
            throw StartFailure("sluice doctor: '\(path)' cannot be written: \(error)")
        }
    }

    private func create(_ path: String, _ content: [UInt8]) throws {
        if FileManager.default.fileExists(atPath: path) { throw StartFailure("'\(path)' is there already") }
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(content), attributes: [.posixPermissions: 0o600])
        if !made { throw StartFailure("'\(path)' cannot be written") }
    }
}
