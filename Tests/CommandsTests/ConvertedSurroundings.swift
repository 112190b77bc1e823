import TestSupport
import YAML

/// What manifests refer to without holding it: Services with an endpoint, Secrets with a certificate and authorities.
struct ConvertedSurroundings {
    private(set) var text = ""
    private let certificate: TestCertificate

    init(of manifests: String) throws {
        certificate = try TestPKI.makeCA().issue(TestCertificateRequest(commonName: "x", dnsNames: ["a.example.com"]))
        let roots = YAMLStream(parsing: Array(manifests.utf8)).documents.map(\.root)
        var services: [String: Set<Int>] = [:]
        var secrets: Set<String> = []
        for root in roots {
            let namespace = root["metadata"]?["namespace"]?.string ?? "default"
            for reference in (root["spec"]?["rules"]?[0]?["backendRefs"]?.elements ?? []) where reference["kind"] == nil
            {
                let key = "\(reference["namespace"]?.string ?? namespace)/\(reference["name"]?.string ?? "")"
                if case .integer(let port)? = reference["port"]?.value { services[key, default: []].insert(Int(port)) }
            }
            for key in ["certificateRefs", "caCertificateRefs", "clientCertificateRef"] {
                for reference in ConvertedSurroundings.found(key, in: root) {
                    let name = "\(reference["namespace"]?.string ?? namespace)/\(reference["name"]?.string ?? "")"
                    secrets.insert("\(reference["kind"]?.string ?? "Secret") \(name)")
                }
            }
        }
        for (key, ports) in services.sorted(by: { $0.key < $1.key }) { write(service: key, ports.sorted()) }
        for secret in secrets.sorted() { write(secret) }
    }

    /// The documents of a text in one layout, without comments, in the order of their kinds and names.
    static func documents(of text: String) -> [String] {
        YAMLStream(parsing: Array(text.utf8)).documents.map { plain($0.root).text }.sorted()
    }

    private static func plain(_ node: YAMLNode) -> YAMLNode {
        switch node.content {
        case .mapping(let entries):
            YAMLNode(
                .mapping(
                    entries.sorted { $0.key < $1.key }.map { YAMLEntry(key: $0.key, value: plain($0.value)) }))
        case .sequence(let elements): YAMLNode(.sequence(elements.map(plain)))
        case .scalar(let scalar): node.string.map { YAMLNode($0) } ?? YAMLNode(.scalar(YAMLScalar(scalar.text)))
        }
    }

    private static func found(_ key: String, in node: YAMLNode) -> [YAMLNode] {
        (node.entries ?? []).flatMap { entry in
            entry.key == key ? entry.value.elements ?? [entry.value] : found(key, in: entry.value)
        } + (node.elements ?? []).flatMap { found(key, in: $0) }
    }

    private mutating func write(service key: String, _ ports: [Int]) {
        let parts = key.split(separator: "/")
        let list = ports.map { "  - {name: p\($0), port: \($0)}\n" }.joined()
        text += """
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: \(parts[1]), namespace: \(parts[0])}
            spec:
              clusterIP: 10.96.0.1
              ports:
            \(list)---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: \(parts[1])-1, namespace: \(parts[0]), labels: {kubernetes.io/service-name: \(parts[1])}}
            addressType: IPv4
            endpoints: [{addresses: [192.0.2.9]}]
            ports:
            \(list)
            """
    }

    private mutating func write(_ secret: String) {
        let parts = secret.split { $0 == " " || $0 == "/" }
        func block(_ pem: String) -> String {
            pem.split(separator: "\n").map { "    \($0)\n" }.joined()
        }
        let field = parts[0] == "Secret" ? "stringData" : "data"
        text += """
            ---
            apiVersion: v1
            kind: \(parts[0])
            metadata: {name: \(parts[2]), namespace: \(parts[1])}
            \(field):
              tls.crt: |
            \(block(certificate.chainPEM))  tls.key: |
            \(block(certificate.privateKeyPEM))  ca.crt: |
            \(block(certificate.rootPEM))

            """
    }
}
