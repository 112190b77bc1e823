import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport

/// A source over a fake server, with what it handed over.
final class RunningCluster: Sendable {
    let log = MemoryLog()
    private let source: ClusterSource
    private let states = Monitored<[ClusterState]>([])

    init(
        _ server: any APIServer, namespaces: [String]? = nil, factor: Double = 0.02,
        configure: (inout ClusterSource.Options) -> Void = { _ in }
    ) throws {
        var options = ClusterSource.Options(ownNamespace: "sluice-system", watchNamespaces: namespaces) {
            testReferences($0)
        }
        options.clockFactor = factor
        options.quiet = .milliseconds(1)
        configure(&options)
        source = ClusterSource(server: server, options: options, logger: Logger(recordingTo: log))
        let states = states
        try source.start { state in states.update { $0.append(state) } }
    }

    deinit { source.stop() }

    var health: ClusterHealth { source.health }
    /// Everything that was handed over.
    var all: [ClusterState] { states.wait { $0 as [ClusterState]? } ?? [] }
    var count: Int { states.wait { $0.count as Int? } ?? 0 }
    func setWatchesNodes(_ watches: Bool) { source.setWatchesNodes(watches) }

    /// Waits for a state; the newest one at that time.
    func wait(_ what: String, timeout: Duration = .seconds(10), _ condition: (ClusterState) -> Bool) throws
        -> ClusterState
    {
        let found = states.wait(until: .now() + timeout) { states in states.last.flatMap { condition($0) ? $0 : nil } }
        guard let found else { throw TestFailure("no state with \(what) within \(timeout); log:\n\(log.text)") }
        return found
    }

    func stop() { source.stop() }
}

/// Secrets of listeners and ConfigMaps of policies, in their objects' own namespaces.
private func testReferences(_ snapshot: ClusterSnapshot) -> ReferencedObjects {
    var references = ReferencedObjects()
    for (key, gateway) in snapshot.gateways {
        for listener in gateway.spec.listeners {
            for reference in listener.tls?.certificateRefs ?? [] {
                references.secrets.insert(ObjectKey(namespace: key.namespace, name: reference.name))
            }
        }
    }
    for (key, policy) in snapshot.backendTLSPolicies {
        for reference in policy.spec.validation.caCertificateRefs ?? [] {
            references.configMaps.insert(ObjectKey(namespace: key.namespace, name: reference.name))
        }
    }
    return references
}

/// Objects as a server has them.
enum Fixture {
    static let gatewayAPI = "gateway.networking.k8s.io"

    static func route(_ name: String, namespace: String = "shop", port: String = "5432", status: String? = nil)
        -> String
    {
        """
        {"metadata":{"name":"\(name)","namespace":"\(namespace)","generation":1},
         "spec":{"parentRefs":[{"name":"edge"}],"rules":[{"backendRefs":[{"name":"db","port":\(port)}]}]}
         \(status.map { ",\"status\":\($0)" } ?? "")}
        """
    }

    static func gateway(_ name: String, secret: String? = nil, namespace: String = "shop") -> String {
        let tls = secret.map { #","tls":{"mode":"Terminate","certificateRefs":[{"name":"\#($0)"}]}"# } ?? ""
        return """
            {"metadata":{"name":"\(name)","namespace":"\(namespace)"},
             "spec":{"gatewayClassName":"sluice","listeners":[{"name":"a","port":443,"protocol":"TLS"\(tls)}]}}
            """
    }

    static func gateway(_ name: String, secrets: [String]) -> String {
        let references = secrets.map { #"{"name":"\#($0)"}"# }.joined(separator: ",")
        return """
            {"metadata":{"name":"\(name)","namespace":"shop"},"spec":{"gatewayClassName":"sluice","listeners":
             [{"name":"a","port":443,"protocol":"TLS","tls":{"certificateRefs":[\(references)]}}]}}
            """
    }

    static func service(_ name: String, namespace: String = "shop") -> String {
        #"{"metadata":{"name":"\#(name)","namespace":"\#(namespace)"},"spec":{"ports":[{"port":5432}]}}"#
    }
}

extension Fixture {
    static func secret(_ name: String, _ pair: TestCertificate, namespace: String = "shop") -> String {
        """
        {"metadata":{"name":"\(name)","namespace":"\(namespace)","annotations":{"a":"b"}},"type":"kubernetes.io/tls",
         "data":{"tls.crt":"\(base64(pair.chainPEM))","tls.key":"\(base64(pair.privateKeyPEM))"}}
        """
    }

    static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    /// With the type's names, as a request has them.
    static func typedSecret(_ name: String, _ pair: TestCertificate) -> String {
        #"{"apiVersion":"v1","kind":"Secret","# + secret(name, pair).dropFirst()
    }
}
