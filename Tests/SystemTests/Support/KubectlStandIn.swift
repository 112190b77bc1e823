internal import Platform
internal import TestSupport
internal import Testing

/// A program called kubectl, alone in a folder, that stands in for it.
struct KubectlStandIn {
    private let folder: TemporaryDirectory

    /// `script`: of a shell.
    init(_ script: String) throws {
        folder = try TemporaryDirectory()
        try folder.write("#!/bin/sh\n\(script)\n", to: "kubectl")
        #expect(try ChildProcess(["chmod", "755", "\(folder.path)/kubectl"]).wait() == .exited(code: 0))
    }

    /// `kubectl port-forward` that leads to the gateway's port of the same name: the admin address for 19000, the probe
    /// address for 8081. It runs until it is ended.
    init(forwardingTo sluice: Sluice) throws {
        try self.init(
            """
            folder=$(dirname "$0")
            echo "$@" >> "$folder/arguments"
            echo $$ >> "$folder/pids"
            case "$*" in
            *:8081) echo 'Forwarding from \(sluice.probes) -> 8081' ;;
            *) echo 'Forwarding from \(sluice.admin) -> 19000' ;;
            esac
            exec sleep 1000
            """)
    }

    /// What PATH is to be.
    var path: String { "\(folder.path):/usr/bin:/bin" }

    /// The arguments of each time that it was run, in this order.
    var arguments: [String] {
        get throws {
            String(decoding: try readFile("\(folder.path)/arguments"), as: UTF8.self).split(separator: "\n").map(
                String.init)
        }
    }

    /// Whether every one of them has ended.
    var hasEnded: Bool {
        get throws {
            String(decoding: try readFile("\(folder.path)/pids"), as: UTF8.self).split(separator: "\n")
                .allSatisfy { (try? readFile("/proc/\($0)/stat")) == nil }
        }
    }
}
