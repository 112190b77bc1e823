internal import TestSupport
internal import Testing

extension Process.ClusterTests {
    @Test("retire takes every entry and every Service of the installation, and may be run again")
    func retire() throws {
        let cluster = try EndToEndCluster()
        defer { #expect(throws: Never.self) { try cluster.clean() } }
        let kubectl = cluster.kubectl
        let replica = try cluster.replica("sluice-a")
        try kubectl.apply(
            ClusterManifest.route(
                "echo", namespace: cluster.namespace, className: cluster.className, parameters: "cluster-ip"))
        _ = try waitForRow(of: "echo", kubectl, replica, cluster) { $0[3] == "True" }
        try replica.stop()
        for _ in 1...2 {
            let result = try cluster.retire()
            #expect(result.succeeded, "\(result.errors)")
        }
        #expect(try kubectl.boundPort(of: "echo", in: cluster.system) == nil)
        let parents = try kubectl.value(
            "{.status.parents[*].controllerName}", of: "tcproute", "echo", "-n", cluster.namespace)
        #expect(parents == "")
        #expect(
            try !kubectl.condition("Programmed", of: "gateway", "echo", "-n", cluster.namespace).hasPrefix("True"))
    }
}
