internal import TestSupport

extension TestInstallation {
    /// Applies the Gateway `echo`, whose port 9000 ends TLS for a name with the Secret `cert`, and its route to the backend.
    func serveTLS(_ name: String, with certificate: TestCertificate, by backend: EchoBackend) throws {
        try kubectl.apply(
            Manifest.secret("cert", certificate) + TestInstallation.tlsRoute(name),
            ClusterManifest.service("echo", address: ServedCluster.address, port: backend.port))
    }

    /// Waits until a Gateway's port is bound, and says on which one; it is a replica of this installation that does so.
    func waitForPort(of gateway: String, port: UInt16 = 9000, by replica: Replica) throws -> UInt16 {
        try replica.program.wait(for: "a port of \(gateway)") { try kubectl.boundPort(of: gateway, port: port) }
    }

    private static func tlsRoute(_ name: String) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: echo}
        spec:
          gatewayClassName: sluice
          listeners:
          - {name: tls, protocol: TLS, port: 9000, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: TLSRoute
        metadata: {name: echo}
        spec:
          parentRefs: [{name: echo}]
          hostnames: [\(name)]
          rules: [{backendRefs: [{name: echo, port: 7}]}]

        """
    }
}
