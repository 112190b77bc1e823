/// Which running gateway a command asks, and how it prints the answer: what every command has in common that asks one.
public struct RemoteOptions: Sendable, Hashable {
    public var target: Target
    public var output: RemoteOutput
    /// Print again each ``interval`` until a signal comes.
    public var watches: Bool
    public var interval: Duration

    public enum Target: Sendable, Hashable {
        /// A host (address, or name) with its port, as a URL has it.
        case address(String)
        /// Through `kubectl port-forward`.
        case cluster(ClusterTarget)
    }

    /// A pod, or one of a Deployment's.
    public struct ClusterTarget: Sendable, Hashable {
        /// Nil: that of kubectl's context.
        public var namespace: String?
        /// `pod/NAME` or `deployment/NAME`.
        public var object: String
        /// Of the admin address in the pod.
        public var port: UInt16
    }
}

/// How an answer is printed.
public enum RemoteOutput: String, CaseIterable, Sendable {
    /// Tables for people.
    case text
    /// The same with more columns.
    case wide
    case json
    case yaml
}

enum RemoteFlags {
    static let adminAddress = Flag<String>(
        "admin-address", "HOST:PORT", help: "The admin address of the gateway to ask. With --pod only its port counts.",
        allowed: "a host and port such as 127.0.0.1:19000, [::1]:19000 or localhost:19000", absent: "127.0.0.1:19000",
        fallback: "127.0.0.1:19000", parse: { remotePort($0) == nil ? nil : $0 })
    static let pod = Flag<String?>(
        "pod", "[NAMESPACE/]NAME", help: "Ask the gateway in this pod, through kubectl port-forward.",
        allowed: "the name of a pod, with its namespace and a slash before it or without", absent: nil,
        environment: "SLUICE_REMOTE_POD", parse: { isClusterName($0) ? .some($0) : nil })
    static let deployment = Flag<String?>(
        "deployment", "[NAMESPACE/]NAME", help: "Ask the gateway in one of this Deployment's pods, likewise.",
        allowed: "the name of a Deployment, with its namespace and a slash before it or without", absent: nil,
        environment: "SLUICE_REMOTE_DEPLOYMENT", parse: { isClusterName($0) ? .some($0) : nil })
    static let namespace = Flag<String?>(
        "namespace", "NAME", help: "The namespace of --pod or --deployment. Without it: that of kubectl's context.",
        allowed: "the name of a namespace", absent: nil, short: "n", environment: "SLUICE_REMOTE_NAMESPACE",
        parse: { isClusterName($0) && !$0.contains("/") ? .some($0) : nil })
    static let output = Flag<RemoteOutput>.choice("output", help: "How to print it.", default: .text, short: "o")
    static let watch = Flag<Bool>.toggle("watch", help: "Print it again and again, until Ctrl-C.", short: "w")
    static let interval = Flag<Duration>.duration(
        "interval", in: .milliseconds(200)...(.seconds(3600)), help: "How long --watch waits in between.",
        default: "2s")

    /// Those that say whom to ask.
    static let target = [
        adminAddress.description, pod.description, deployment.description, namespace.description,
    ]
    static let all = target + [output.description, watch.description, interval.description]
}

extension RemoteOptions {
    init(_ arguments: ParsedArguments, command: String) throws(UsageError) {
        target = try Target(arguments, command: command)
        output = arguments.value(RemoteFlags.output)
        watches = arguments.value(RemoteFlags.watch)
        interval = arguments.value(RemoteFlags.interval)
    }
}

extension RemoteOptions.Target {
    init(_ arguments: ParsedArguments, command: String) throws(UsageError) {
        let address = arguments.value(RemoteFlags.adminAddress)
        let (pod, deployment) = (arguments.value(RemoteFlags.pod), arguments.value(RemoteFlags.deployment))
        guard let name = pod ?? deployment else {
            self = .address(address)
            return
        }
        guard pod == nil || deployment == nil else {
            throw UsageError("sluice \(command): --pod and --deployment name different things; give one of them")
        }
        let parts = name.split(separator: "/").map(String.init)
        let given = arguments.value(RemoteFlags.namespace)
        guard parts.count == 1 || given == nil || given == parts[0] else {
            throw UsageError("sluice \(command): --namespace says '\(given ?? "")', and the name '\(name)'")
        }
        self = .cluster(
            RemoteOptions.ClusterTarget(
                namespace: parts.count == 2 ? parts[0] : given,
                object: "\(pod == nil ? "deployment" : "pod")/\(parts.last ?? name)",
                port: remotePort(address) ?? 19000))
    }
}

/// `NAME` or `NAMESPACE/NAME` of an object in a cluster.
private func isClusterName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return (1...2).contains(parts.count)
        && parts.allSatisfy { part in
            !part.isEmpty && part.first != "-"
                && part.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || $0 == ".") }
        }
}

/// The port of `HOST:PORT`; nil where it is none, or the host could not stand in a URL.
private func remotePort(_ text: String) -> UInt16? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
        return nil
    }
    var host = text[..<colon]
    if host.first == "[", host.last == "]" {
        host = host.dropFirst().dropLast()
    } else if host.contains(":") {
        return nil
    }
    let isUsual = host.allSatisfy { character in
        character.isASCII && (character.isLetter || character.isNumber || ".:-_".contains(character))
    }
    return isUsual && !host.isEmpty ? port : nil
}
