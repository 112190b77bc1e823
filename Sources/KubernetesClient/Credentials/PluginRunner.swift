internal import FoundationEssentials
internal import KubernetesAPI
internal import Platform
internal import Primitives

/// Runs a credential plugin and reads what it prints.
struct PluginRunner: Sendable {
    let plugin: ExecPlugin
    let timeout: Duration

    init(_ plugin: ExecPlugin, timeout: Duration) { (self.plugin, self.timeout) = (plugin, timeout) }

    /// Blocks until the plugin has ended, or its time is over.
    func run() throws(APIError) -> PluginCredentials {
        let run: PluginRun
        do throws(Errno) {
            run = try PluginRun(plugin, until: .now() + timeout)
        } catch {
            let hint = error == .noEntry ? plugin.installHint.map { ". " + printable($0, limit: 500) } ?? "" : ""
            throw failure("cannot be started: \(error)\(hint)")
        }
        switch run.ending {
        case .exited(code: 0)?: return try read(run.printed)
        case .exited(code: 127)? where plugin.installHint != nil:
            throw failure("ended with exit code 127. \(printable(plugin.installHint ?? "", limit: 500))")
        case .exited(let code)?: throw failure("ended with exit code \(code)\(run.complaint)")
        case .signalled(let number)?: throw failure("was ended by signal \(number)\(run.complaint)")
        case nil: throw failure("did not end within \(timeout) and was stopped\(run.complaint)")
        }
    }

    private struct Printed: Decodable {
        struct Status: Decodable {
            var token: String?
            var clientCertificateData: String?
            var clientKeyData: String?
            var expirationTimestamp: Timestamp?
        }

        var apiVersion: String?
        var kind: String?
        var status: Status?
    }

    private func read(_ bytes: [UInt8]) throws(APIError) -> PluginCredentials {
        // What the decoder says could quote the output, which is secret.
        guard let printed = try? JSONDecoder().decode(Printed.self, from: Data(bytes)) else {
            throw failure("printed no ExecCredential that can be read")
        }
        guard printed.kind == "ExecCredential" else { throw failure("printed something that is no ExecCredential") }
        let wanted = "client.authentication.k8s.io/\(plugin.version)"
        guard printed.apiVersion == wanted else { throw failure("printed another apiVersion than \(wanted)") }
        guard let status = printed.status else { throw failure("printed no status") }
        let certificate = status.clientCertificateData.map { Array($0.utf8) }
        let key = status.clientKeyData.map { Array($0.utf8) }
        guard (certificate == nil) == (key == nil) else {
            throw failure("printed one of clientCertificateData and clientKeyData without the other")
        }
        guard status.token?.isEmpty == false || certificate != nil else {
            throw failure("printed neither a token nor a client certificate")
        }
        return PluginCredentials(
            token: status.token?.trimmed, certificate: certificate, privateKey: key,
            expires: status.expirationTimestamp?.seconds)
    }

    private func failure(_ words: String) -> APIError {
        .credentials("the credential plugin \"\(printable(plugin.command))\" \(words)")
    }
}

/// One run of a plugin, over when it is made.
private struct PluginRun {
    private static let outputLimit = 1 << 20

    private(set) var printed: [UInt8] = []
    private var errors: [UInt8] = []
    /// nil: stopped because its time was over, or it printed too much.
    private(set) var ending: ChildProcess.Ending?

    init(_ plugin: ExecPlugin, until deadline: MonotonicTime) throws(Errno) {
        let output = try Pipe()
        let error = try Pipe()
        // Programs expect to wait where the pipe is full; we do not wait at our end.
        try output.writing.setNonBlocking(false)
        try error.writing.setNonBlocking(false)
        let nothing = try FileDescriptor(readingFileAt: "/dev/null")
        let child = try ChildProcess(
            [plugin.command] + plugin.arguments, environment: PluginRun.environment(of: plugin), input: nothing.raw,
            output: output.writing.raw, error: error.writing.raw)
        while MonotonicTime.now() < deadline, printed.count <= PluginRun.outputLimit {
            // First how it stands, then what is there: what it wrote before its end is not missed.
            ending = child.poll()
            PluginRun.drain(output.reading, into: &printed)
            PluginRun.drain(error.reading, into: &errors)
            if ending != nil { return }
            _ = try? pollReadable([output.reading.raw], timeout: .milliseconds(5))
        }
        child.signal(9)
        _ = child.wait()
    }

    /// `: what it said`, or nothing.
    var complaint: String {
        let text = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
        return text.isEmpty ? "" : ": " + printable(text, limit: 300)
    }

    private static func drain(_ pipe: borrowing FileDescriptor, into bytes: inout [UInt8]) {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= outputLimit {
            let count = chunk.withUnsafeMutableBytes { buffer in (try? pipe.read(into: buffer)) ?? 0 }
            if count == 0 { return }
            bytes += chunk[..<count]
        }
    }

    /// The plugin's own variables, and what it is told about the cluster.
    private static func environment(of plugin: ExecPlugin) -> [String: String] {
        let cluster = plugin.clusterInfo.map { ",\"cluster\":\($0)" } ?? ""
        let version = "client.authentication.k8s.io/\(plugin.version)"
        let info =
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"\(version)\",\"spec\":{\"interactive\":false\(cluster)}}"
        return plugin.environment.merging(["KUBERNETES_EXEC_INFO": info]) { $1 }
    }
}
