internal import FoundationEssentials
internal import TestSupport

/// The manifests that the tests serve, as text. Strings are written as JSON, which is YAML.
enum Manifest {
    struct Listener {
        enum Mode: String { case tcp, passthrough = "Passthrough", terminate = "Terminate" }
        var name: String
        var port: UInt16
        var mode = Mode.tcp
        var hostname: String?
        /// Names of Secrets.
        var certificates: [String] = []
        /// `sluice.dev/alpn-protocols`.
        var alpn: String?

        fileprivate var text: String {
            var lines = ["  - name: \(name)", "    port: \(port)", "    protocol: \(mode == .tcp ? "TCP" : "TLS")"]
            if let hostname { lines.append("    hostname: \"\(hostname)\"") }
            guard mode != .tcp else { return lines.joined(separator: "\n") }
            lines += ["    tls:", "      mode: \(mode.rawValue)"]
            if mode == .terminate {
                lines.append("      certificateRefs:")
                lines += certificates.map { "      - {name: \($0)}" }
            }
            if let alpn { lines.append("      options: {sluice.dev/alpn-protocols: \"\(alpn)\"}") }
            return lines.joined(separator: "\n")
        }
    }

    /// `address` nil: all local addresses.
    static func gateway(_ listeners: [Listener], name: String = "gw", address: String? = "127.0.0.1") -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: \(name)}
        spec:
          gatewayClassName: sluice
        \(address.map { "  addresses: [{type: IPAddress, value: \"\($0)\"}]\n" } ?? "")  listeners:
        \(listeners.map(\.text).joined(separator: "\n"))
        ---

        """
    }

    static func tcpRoute(_ name: String, to services: String..., section: String, gateway: String = "gw") -> String {
        tcpRoute(name, weights: services.map { ($0, 1) }, section: section, gateway: gateway)
    }

    /// To several Services by weight.
    static func tcpRoute(
        _ name: String, weights: [(service: String, weight: Int)], section: String, gateway: String = "gw"
    ) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: TCPRoute
        metadata: {name: \(name)}
        spec:
          parentRefs: [{name: \(gateway), sectionName: \(section)}]
          rules:
          - backendRefs:
        \(weights.map { "    - {name: \($0.service), port: 1, weight: \($0.weight)}" }.joined(separator: "\n"))
        ---

        """
    }

    static func tlsRoute(
        _ name: String, to service: String, hostnames: [String], section: String, gateway: String = "gw"
    ) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: TLSRoute
        metadata: {name: \(name)}
        spec:
          parentRefs: [{name: \(gateway), sectionName: \(section)}]
          hostnames: [\(hostnames.map { "\"\($0)\"" }.joined(separator: ", "))]
          rules:
          - backendRefs: [{name: \(service), port: 1}]
        ---

        """
    }

    /// A Service whose port 1 is the given port of 127.0.0.1, and its EndpointSlice.
    static func service(_ name: String, at port: UInt16, appProtocol: String? = nil) -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name)}
        spec:
          ports:
          - {name: main, port: 1, targetPort: \(port)\(appProtocol.map { ", appProtocol: \($0)" } ?? "")}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: \(name)-1, labels: {kubernetes.io/service-name: \(name)}}
        addressType: IPv4
        ports: [{name: main, port: \(port)}]
        endpoints: [{addresses: [127.0.0.1]}]
        ---

        """
    }

    /// A Service whose port 1 is one port of 127.0.0.1 for each endpoint, with an EndpointSlice each.
    static func service(_ name: String, at ports: [UInt16]) -> String {
        let slices = ports.enumerated().map { index, port in
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: \(name)-\(index), labels: {kubernetes.io/service-name: \(name)}}
            addressType: IPv4
            ports: [{name: main, port: \(port)}]
            endpoints: [{addresses: [127.0.0.1]}]
            ---

            """
        }
        return """
            apiVersion: v1
            kind: Service
            metadata: {name: \(name)}
            spec:
              ports: [{name: main, port: 1}]
            ---

            """ + slices.joined()
    }

    static func secret(_ name: String, _ certificate: TestCertificate) -> String {
        """
        apiVersion: v1
        kind: Secret
        type: kubernetes.io/tls
        metadata: {name: \(name)}
        data:
          tls.crt: \(base64(certificate.chainPEM))
          tls.key: \(base64(certificate.privateKeyPEM))
        ---

        """
    }

    static func authority(_ name: String, _ pem: String, key: String = "ca.crt") -> String {
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: \(name)}
        data:
          \(key): |
        \(pem.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        ---

        """
    }

    /// TLS towards a Service, verified by the ConfigMap `authority`.
    static func backendTLS(
        _ service: String, authority: String, hostname: String, alternativeNames: [String] = []
    ) -> String {
        let names = alternativeNames.map { "{type: Hostname, hostname: \"\($0)\"}" }.joined(separator: ", ")
        return """
            apiVersion: gateway.networking.k8s.io/v1
            kind: BackendTLSPolicy
            metadata: {name: \(service)}
            spec:
              targetRefs: [{group: "", kind: Service, name: \(service)}]
              validation:
                hostname: \(hostname)
                caCertificateRefs: [{group: "", kind: ConfigMap, name: \(authority)}]
            \(names.isEmpty ? "" : "    subjectAltNames: [\(names)]")
            ---

            """
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
