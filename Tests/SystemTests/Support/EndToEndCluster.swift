internal import Platform
internal import Primitives
internal import TestSupport

/// A cluster for the end-to-end tests, with an installation whose names nobody else has: at an API server of the test's
/// own, or with SLUICE_TEST_CLUSTER=1 in the cluster that $KUBECONFIG names, where it leaves nothing behind.
final class EndToEndCluster: Sendable {
    let kubectl: Kubectl
    /// For the objects of users.
    let namespace: String
    /// The installation's.
    let system: String
    let className: String
    /// Of this host, reachable, and one that API servers take for an endpoint: not loopback.
    let address: IPAddress
    private let controllerName: String
    private let ports: ClosedRange<UInt16>
    private let installation: TestInstallation?

    init() throws {
        let mark = String(UInt32.random(in: 0 ... .max), radix: 36)
        (namespace, system, className) = ("sluice-test-\(mark)", "sluice-test-\(mark)-system", "sluice-test-\(mark)")
        controllerName = "sluice.dev/test-\(mark)"
        ports = try Ports.freeRange(of: 20)
        guard let address = Host.localAddresses.first(where: { !$0.isLoopback && $0.isV4 }) else {
            throw TestFailure(
                "this host has no IPv4 address but loopback, and API servers take none of these for endpoints")
        }
        self.address = address
        if Host.environment("SLUICE_TEST_CLUSTER") == nil {
            let installation = try TestInstallation()
            (self.installation, kubectl) = (installation, installation.kubectl)
        } else {
            guard let kubeconfig = Host.environment("KUBECONFIG") else { throw TestFailure("KUBECONFIG is not set") }
            (installation, kubectl) = (nil, try Kubectl(kubeconfig: kubeconfig))
        }
        try kubectl.apply(
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: \(namespace)}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: \(system)}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: GatewayClass
            metadata: {name: \(className)}
            spec: {controllerName: \(controllerName)}
            """)
        try kubectl.apply(
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: sluice, namespace: \(system)}
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: GatewayParameters
            metadata: {name: cluster-ip, namespace: \(namespace)}
            spec: {service: {type: ClusterIP}}

            """)
    }

    /// Starts a replica with the administrator's rights, and waits until it is ready.
    func replica(_ name: String) throws -> Replica {
        let replica = try Replica(
            name, kubeconfig: kubectl.kubeconfig,
            flags: [
                "--namespace", system, "--controller-name", controllerName, "--port-range",
                "\(ports.lowerBound)-\(ports.upperBound)", "--pod-selector", "app=\(className)",
            ])
        try replica.waitUntilReady(within: .seconds(60))
        return replica
    }

    /// What an uninstallation runs.
    func retire() throws -> CommandResult {
        try run(
            [
                try Installation.sluice(), "retire", "--kubeconfig", kubectl.kubeconfig, "--namespace", system,
                "--controller-name", controllerName,
            ], within: .seconds(120))
    }

    /// Deletes all that was made, and waits until it is gone.
    func clean() throws {
        try kubectl("delete", "namespace", namespace, system, "--ignore-not-found", "--wait", "--timeout=120s")
        try kubectl("delete", "gatewayclass", className, "--ignore-not-found")
    }
}
