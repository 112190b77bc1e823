import FoundationEssentials
import Platform
import Primitives
import TestAPIServer

/// The test API server as a process of its own: to be killed and started again by system tests, to be used by hand with
/// kubectl, and to load Sluice with for the control-plane benchmark.
let usage = """
    usage: sluice-test-apiserver [--port N] [--address IP] [--manifests FILE-OR-FOLDER]... [--token TOKEN]...
                                 [--kubeconfig FILE] [--state FILE] [--allow-loopback-endpoints] [--balancer-delay-ms N|never]
                                 [--without-streaming-lists]

    Prints `listening on http://ADDRESS` and serves until it is killed. /_control/… is described in the README.

    """

func fail(_ text: String) -> Never {
    try? StandardStream.error.write("sluice-test-apiserver: \(text)\n")
    Host.exit(2)
}

var options = TestAPIServer.Options()
var manifests: [String] = []
var kubeconfig: String?
var arguments = CommandLine.arguments.dropFirst()

@MainActor func value(of flag: String) -> String {
    guard let value = arguments.popFirst() else { fail("\(flag) needs a value\n\(usage)") }
    return value
}

while let flag = arguments.popFirst() {
    switch flag {
    case "--port":
        let text = value(of: flag)
        guard let port = UInt16(text) else { fail("--port: no port: \(text)") }
        options.port = port
    case "--address":
        let text = value(of: flag)
        guard let address = IPAddress(text) else { fail("--address: no IP address: \(text)") }
        options.address = address
    case "--manifests": manifests.append(value(of: flag))
    case "--token": options.tokens[value(of: flag)] = .admin
    case "--state": options.journal = value(of: flag)
    case "--kubeconfig": kubeconfig = value(of: flag)
    case "--allow-loopback-endpoints": options.allowsLoopbackEndpoints = true
    case "--without-streaming-lists": options.offersStreamingLists = false
    case "--balancer-delay-ms":
        let text = value(of: flag)
        options.balancerDelay = Int(text).map { .milliseconds($0) }
        if options.balancerDelay == nil, text != "never" { fail("--balancer-delay-ms: no number: \(text)") }
    default: fail("unknown flag \(flag)\n\(usage)")
    }
}

do {
    let server = try TestAPIServer.start(options)
    for path in manifests { try server.load(path) }
    if let kubeconfig {
        try server.kubeconfig(token: options.tokens.keys.sorted().first).write(
            toFile: kubeconfig, atomically: true, encoding: .utf8)
    }
    try StandardStream.output.write("listening on \(server.url)\n")
    while true { _ = try pollReadable([], timeout: .seconds(3600)) }
} catch {
    fail("\(error)")
}
