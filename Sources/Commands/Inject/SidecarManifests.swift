/// What the sidecar serves: Gateways, routes and backends as YAML. The names `server`, `clients`, `client` and `servers` stand for
/// what is mounted (``SidecarPod``).
struct SidecarManifests {
    let settings: SidecarSettings

    /// Several documents; the last line ends with a newline.
    var text: String {
        var documents: [String] = []
        if !settings.terminated.isEmpty { documents.append(inboundGateway) }
        documents += settings.terminated.map {
            tcpRoute($0.port, gateway: "inbound", backend: "port-\($0.applicationPort)")
        }
        var ports: Set<Int> = []
        for item in settings.terminated where ports.insert(item.applicationPort).inserted {
            documents.append(
                backend("port-\(item.applicationPort)", "ip: {address: 127.0.0.1, port: \(item.applicationPort)}"))
        }
        if !settings.dialled.isEmpty { documents.append(outboundGateway) }
        for item in settings.dialled {
            let name = "dial-\(item.port)"
            documents += [
                tcpRoute(item.port, gateway: "outbound", backend: name),
                backend(name, "fqdn: {hostname: \(item.host), port: \(item.remotePort)}"), backendTLS(name, item),
            ]
        }
        return documents.joined(separator: "---\n")
    }

    private var inboundGateway: String {
        var text = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata:
              name: inbound
            spec:
              gatewayClassName: sluice
              listeners:

            """
        for item in settings.terminated {
            text += """
                  - name: port-\(item.port)
                    protocol: TLS
                    port: \(item.port)
                    tls:
                      mode: Terminate
                      certificateRefs:
                      - name: server

                """
        }
        guard let authority = settings.clientAuthority else { return text }
        return text + """
              tls:
                frontend:
                  default:
                    validation:
                      caCertificateRefs:
                      - {group: "", kind: \(kind(authority)), name: clients}

            """
    }

    private var outboundGateway: String {
        var text = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata:
              name: outbound
            spec:
              gatewayClassName: sluice
              addresses:
              - {type: IPAddress, value: 127.0.0.1}
              listeners:

            """
        for item in settings.dialled {
            text += """
                  - name: port-\(item.port)
                    protocol: TCP
                    port: \(item.port)

                """
        }
        guard settings.clientSecret != nil else { return text }
        return text + """
              tls:
                backend:
                  clientCertificateRef:
                    name: client

            """
    }

    private func tcpRoute(_ port: Int, gateway: String, backend: String) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: TCPRoute
        metadata:
          name: port-\(port)
        spec:
          parentRefs:
          - {name: \(gateway), sectionName: port-\(port)}
          rules:
          - backendRefs:
            - {group: sluice.dev, kind: Backend, name: \(backend)}

        """
    }

    private func backend(_ name: String, _ endpoint: String) -> String {
        """
        apiVersion: sluice.dev/v1alpha1
        kind: Backend
        metadata:
          name: \(name)
        spec:
          endpoints:
          - \(endpoint)

        """
    }

    private func backendTLS(_ name: String, _ item: DialledPort) -> String {
        var text = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: BackendTLSPolicy
            metadata:
              name: \(name)
            spec:
              targetRefs:
              - {group: sluice.dev, kind: Backend, name: \(name)}
              validation:
                hostname: \(item.host)

            """
        if let authority = settings.serverAuthority {
            text += "    caCertificateRefs:\n    - {group: \"\", kind: \(kind(authority)), name: servers}\n"
        } else {
            text += "    wellKnownCACertificates: System\n"
        }
        return text
    }

    private func kind(_ authority: AuthorityReference) -> String { authority.isSecret ? "Secret" : "ConfigMap" }
}
