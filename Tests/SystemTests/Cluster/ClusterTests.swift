internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// What users of a cluster do and see. `make test-cluster` runs these in a real one.
    @Suite("cluster", .timeLimit(.minutes(5)))
    struct ClusterTests {
        @Test("apply, an address, an answer, other endpoints, conditions, delete")
        func endToEnd() throws {
            let cluster = try EndToEndCluster()
            defer { #expect(throws: Never.self) { try cluster.clean() } }
            let (blue, green) = (try EchoBackend("blue"), try EchoBackend("green"))
            let replica = try cluster.replica("sluice-a")
            let kubectl = cluster.kubectl
            try kubectl.apply(
                ClusterManifest.route(
                    "echo", namespace: cluster.namespace, className: cluster.className, parameters: "cluster-ip"),
                ClusterManifest.service(
                    "echo", namespace: cluster.namespace, address: cluster.address, port: blue.port))

            let row = try waitForRow(of: "echo", kubectl, replica, cluster) { $0[3] == "True" }
            #expect(row[0] == "echo" && row[1] == cluster.className)
            let service = try kubectl.value(
                "{.items[0].spec.clusterIP}", of: "service", "-n", cluster.system, "-l",
                "gateway.networking.k8s.io/gateway-name=echo")
            #expect(row[2] == service, "the Gateway's address is its Service's")
            let port = try #require(try kubectl.boundPort(of: "echo", in: cluster.system))
            let established = try PlainClient(port: port)
            #expect(try Greeting.receive(from: established).backend == "blue")
            try established.exchange("through the gateway")

            try kubectl(
                "patch", "endpointslice", "echo-1", "-n", cluster.namespace, "--type=merge", "-p",
                #"{"ports": [{"name": "main", "port": \#(green.port)}]}"#)
            _ = try replica.program.wait(for: "an answer of green") {
                try Greeting.receive(from: try PlainClient(port: port)).backend == "green" ? true : nil
            }
            try established.exchange("still to blue")

            let route = try kubectl("describe", "tcproute", "echo", "-n", cluster.namespace)
            let words = route.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for part in [
                "Reason: Accepted Status: True Type: Accepted", "Reason: ResolvedRefs Status: True Type: ResolvedRefs",
                "Controller Name: \(controllerName(of: cluster))",
            ] { #expect(words.contains(part), "\(part) in \(route)") }
            try kubectl("delete", "gateway", "echo", "-n", cluster.namespace)
            _ = try replica.program.wait(for: "the end of the Service") {
                try kubectl.boundPort(of: "echo", in: cluster.system) == nil ? true : nil
            }
            _ = try replica.program.wait(for: "the end of the listener") {
                (try? PlainClient(port: port)) == nil ? true : nil
            }
            established.close()
            try replica.stop()
        }

        @Test("what cannot be served says so in the status, and is served once it can be")
        func conditions() throws {
            let cluster = try EndToEndCluster()
            defer { #expect(throws: Never.self) { try cluster.clean() } }
            let replica = try cluster.replica("sluice-a")
            let kubectl = cluster.kubectl
            try kubectl.apply(
                ClusterManifest.route(
                    "echo", namespace: cluster.namespace, className: cluster.className, parameters: "cluster-ip"))
            func resolved() throws -> String {
                try kubectl.condition(
                    "ResolvedRefs", of: "tcproute", "echo", "-n", cluster.namespace,
                    at: ".status.parents[0].conditions")
            }
            _ = try replica.program.wait(for: "ResolvedRefs False") {
                try resolved().hasPrefix("False BackendNotFound") ? true : nil
            }
            _ = try waitForRow(of: "echo", kubectl, replica, cluster) { $0[3] == "True" }
            let port = try #require(try kubectl.boundPort(of: "echo", in: cluster.system))
            try expectReset(port: port)

            let echo = try EchoBackend("late")
            try kubectl.apply(
                ClusterManifest.service(
                    "echo", namespace: cluster.namespace, address: cluster.address, port: echo.port))
            _ = try replica.program.wait(for: "ResolvedRefs True") { try resolved().hasPrefix("True ") ? true : nil }
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "late")
            try replica.stop()
        }

        private func controllerName(of cluster: EndToEndCluster) -> String {
            "sluice.dev/" + cluster.className.dropFirst("sluice-".count)
        }

        /// The columns of `kubectl get gateway` once they satisfy `condition`: name, class, address, programmed, age.
        func waitForRow(
            of gateway: String, _ kubectl: Kubectl, _ replica: Replica, _ cluster: EndToEndCluster,
            _ condition: ([String]) -> Bool
        ) throws -> [String] {
            try replica.program.wait(for: "a programmed Gateway", within: .seconds(30)) {
                let text = try kubectl("get", "gateway", gateway, "-n", cluster.namespace, "--no-headers")
                // A column without a value is empty, and the row then shorter.
                let row = text.split(whereSeparator: \.isWhitespace).map(String.init)
                return row.count == 5 && condition(row) ? row : nil
            }
        }
    }
}
