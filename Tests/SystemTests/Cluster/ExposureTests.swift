internal import Platform
internal import Primitives
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    @Suite("exposure in a cluster", .timeLimit(.minutes(3)))
    struct ExposureTests {
        private static let parameters = """
            apiVersion: sluice.dev/v1alpha1
            kind: GatewayParameters
            metadata: {name: default, namespace: sluice-system}
            spec:
              service: {type: ClusterIP, annotations: {example.com/of: class}}
              allowedPorts: {tcp: {ranges: [{from: 9000, to: 9099}]}}

            """

        private static func own(_ service: String) -> String {
            """
            apiVersion: sluice.dev/v1alpha1
            kind: GatewayParameters
            metadata: {name: own, namespace: default}
            spec: {service: {\(service)}}

            """
        }

        @Test("the class's parameters and the Gateway's own decide its Service, its address and its ports")
        func parameters() throws {
            // No cloud: a load balancer never has an address.
            let installation = try TestInstallation {
                $0.balancerDelay = nil
                $0.allowsLoopbackEndpoints = true
            }
            let kubectl = installation.kubectl
            try installation.server.put(yaml: "{apiVersion: v1, kind: Node, metadata: {name: node-a}}")
            try installation.server.patch(
                "Node", "", "node-a", subresource: "status",
                yaml: """
                    status:
                      addresses: [{type: InternalIP, address: 10.1.2.3}]
                      conditions: [{type: Ready, status: "True"}]
                    """)
            try kubectl.apply(ExposureTests.parameters)
            try kubectl(
                "patch", "gatewayclass", "sluice", "--type=merge", "-p",
                #"{"spec": {"parametersRef": {"group": "sluice.dev", "kind": "GatewayParameters", "name": "default", "#
                    + #""namespace": "sluice-system"}}}"#)
            let echo = try EchoBackend("echo")
            let replica = try installation.replica()
            try kubectl.apply(
                ClusterManifest.route("edge"),
                ClusterManifest.service("edge", address: .loopbackV4, port: echo.port))

            func service(_ path: String) throws -> String {
                let label = "gateway.networking.k8s.io/gateway-name=edge"
                return try kubectl.run(
                    ["get", "service", "-n", "sluice-system", "-l", label, "-o", "jsonpath={.items[0]\(path)}"]
                ).output
            }
            func address() throws -> String { try kubectl.value("{.status.addresses[*].value}", of: "gateway", "edge") }
            func wait(_ what: String, _ holds: () throws -> Bool) throws {
                _ = try replica.program.wait(for: what) { try holds() ? true : nil }
            }
            try wait("the cluster IP as address") {
                let ip = try service(".spec.clusterIP")
                return try !ip.isEmpty && address().hasPrefix(ip)
            }
            #expect(try service(".spec.type") == "ClusterIP")
            #expect(try service(#".metadata.annotations.example\.com/of"#) == "class")
            let bound = try #require(try kubectl.boundPort(of: "edge"))
            let uid = try service(".metadata.uid")
            let established = try PlainClient(port: bound)
            #expect(try Greeting.receive(from: established).backend == "echo")

            // The Gateway's own: another type, on the living Service.
            try kubectl.apply(ExposureTests.own("type: NodePort, nodePorts: [{listenerPort: 9000, nodePort: 30900}]"))
            try kubectl.apply(ClusterManifest.route("edge", parameters: "own"))
            try wait("the node's address") { try address() == "10.1.2.3" }
            #expect(try service(".spec.ports[0].nodePort") == "30900")
            #expect(try service(".metadata.uid") == uid)
            #expect(try kubectl.boundPort(of: "edge") == bound)
            try established.exchange("on")

            // What cannot change on it makes it anew.
            try kubectl.apply(ExposureTests.own("type: LoadBalancer, loadBalancerClass: example.com/one"))
            try wait("the class") { try service(".spec.loadBalancerClass") == "example.com/one" }
            let balanced = try service(".metadata.uid")
            try kubectl.apply(ExposureTests.own("type: LoadBalancer, loadBalancerClass: example.com/two"))
            try wait("another Service") {
                try service(".spec.loadBalancerClass") == "example.com/two" && service(".metadata.uid") != balanced
            }
            try wait("a wait for its address") {
                let pending = "waiting for an address of Service sluice-system/\(try service(".metadata.name"))"
                return try kubectl.condition("Programmed", of: "gateway", "edge") == "Unknown Pending \(pending)"
            }
            try established.exchange("and on")

            let row = try kubectl("get", "gatewayparameters", "own").split(separator: "\n").last ?? ""
            #expect(row.split(separator: " ").dropLast() == ["own", "LoadBalancer", "True"])
            try refusals(kubectl, wait)
            established.close()
            try replica.stop()
        }

        /// What belongs to the class alone, and a port that the class does not allow.
        private func refusals(
            _ kubectl: Kubectl, _ wait: (String, () throws -> Bool) throws -> Void
        ) throws {
            try kubectl.apply(ClusterManifest.route("far", port: 9100))
            try wait("a port that is refused") {
                let listener = try kubectl.condition(
                    "Accepted", of: "gateway", "far", at: ".status.listeners[0].conditions")
                return listener.hasPrefix(
                    "False PortUnavailable port 9100 is not in allowedPorts.tcp of GatewayParameters ")
            }
            #expect(try kubectl.boundPort(of: "far", port: 9100) == nil)
            try kubectl.apply(
                """
                apiVersion: sluice.dev/v1alpha1
                kind: GatewayParameters
                metadata: {name: own, namespace: default}
                spec: {allowedPorts: {namespaces: {from: All}}}

                """)
            try wait("parameters that are refused") {
                let accepted = try kubectl.condition("Accepted", of: "gateway", "edge")
                return accepted.hasPrefix("False InvalidParameters ")
                    && accepted.contains("allowedPorts may only stand in")
            }
            // Its address would be lost with its Service.
            #expect(try kubectl.boundPort(of: "edge") != nil)
        }
    }
}
