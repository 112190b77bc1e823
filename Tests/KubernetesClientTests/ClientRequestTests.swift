import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing

@Suite("API client", .timeLimit(.minutes(1)))
struct APIClientTests {
    @Test("a token, a namespace and a server from a kubeconfig; a get and its counter")
    func get() throws {
        let server = try HTTPTestServer { request, answer in
            let json = #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","uid":"u1","resourceVersion":"7"}}"#
            try answer.send(request["Authorization"] == "Bearer secret" ? 200 : 401, body: json)
        }
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            """
            apiVersion: v1
            kind: Config
            current-context: c
            clusters: [{name: k, cluster: {server: "\(server.url)"}}]
            contexts: [{name: c, context: {cluster: k, user: u, namespace: ns}}]
            users: [{name: u, user: {token: secret}}]
            """, to: "config")
        let configuration = try ClientConfiguration.kubeconfig(path: path, context: nil, environment: [:])
        #expect(configuration.namespace == "ns")
        let client = try APIClient(configuration: configuration, userAgent: "sluice/test", logger: .disabled)
        let kind = ResourceKind(group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)
        let object = try client.get(kind, ObjectKey(namespace: "ns", name: "a"))
        #expect(object.resourceVersion == "7")
        #expect(server.requests.first?.target == "/api/v1/namespaces/ns/services/a")
        var text = PrometheusText()
        client.counts.append(to: &text)
        #expect(text.text.contains(#"sluice_kubernetes_requests_total{verb="get",resource="services",code="200"} 1"#))
    }
}
