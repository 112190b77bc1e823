import FoundationEssentials
import TestSupport
import Testing

@testable import Commands

@Suite("inject")
struct InjectTests {
    private static let terminate = [
        "--image", "sluice:1", "--terminate", "8443:8080", "--secret", "web-tls", "--client-ca", "clients-ca",
    ]

    private static func settings(_ flags: [String]) throws -> SidecarSettings {
        guard case .inject(let options) = Interpretation(["inject", "-f", "-"] + flags, environment: { _ in nil })
        else {
            throw TestFailure("not understood: \(flags)")
        }
        return options.sidecar
    }

    static func inject(_ text: String, _ flags: [String] = terminate) throws -> String {
        try Injection(settings: settings(flags)).applied(to: text, file: "f.yaml")
    }

    /// Why it cannot be done.
    private func failure(_ text: String, _ flags: [String] = terminate) -> String {
        do {
            return "done: \(try Self.inject(text, flags))"
        } catch {
            return "\(error)"
        }
    }

    static func workload(_ kind: String, pod: String, metadata: String = "name: web") -> String {
        let place =
            switch kind {
            case "Pod": ["spec"]
            case "CronJob": ["spec", "jobTemplate", "spec", "template", "spec"]
            default: ["spec", "template", "spec"]
            }
        var (text, spaces) = ("apiVersion: v1\nkind: \(kind)\nmetadata:\n  \(metadata)\n", "")
        for key in place {
            text += "\(spaces)\(key):\n"
            spaces += "  "
        }
        return text + pod.split(separator: "\n").map { "\(spaces)\($0)\n" }.joined()
    }

    private static let plain = "containers:\n- name: web\n  image: web:1\n"

    @Test(
        "every kind of workload gets the container and the volumes in its pod's spec, and nothing else changes",
        arguments: ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"])
    func kinds(kind: String) throws {
        let before = Self.workload(kind, pod: Self.plain)
        let after = try Self.inject(before)
        let added = after.split(separator: "\n").filter { !before.split(separator: "\n").contains($0) }
        for line in [
            "initContainers:", "- name: sluice", "restartPolicy: Always", "image: sluice:1", "startupProbe:",
            "volumes:",
            "- name: sluice-no-token", "- {name: sluice-8443, containerPort: 8443}", "- configMap: {name: web-sluice}",
            "- {key: tls.key, path: secrets/default/server/tls.key}",
            "- {key: ca.crt, path: secrets/default/clients/ca.crt}",
            "name: web-sluice", "port: 8443", "- ip: {address: 127.0.0.1, port: 8080}",
        ] { #expect(added.contains { $0.trimmed == line }, "no '\(line)': \(after)") }
        // The original's lines stand there in their order.
        var rest = before.split(separator: "\n")[...]
        for line in after.split(separator: "\n") where line == rest.first { rest = rest.dropFirst() }
        #expect(rest.isEmpty, "\(rest)")
        #expect(try Self.inject(after) == after, "the second time nothing changes")
    }

    @Test("comments, order, blank lines and the lists' own indentation stay; what is there already comes second")
    func comments() throws {
        let pod = """
            # before
            restartPolicy: Always   # why not
            volumes:
              # data first
              - name: data
                emptyDir: {}

            # the migration
            initContainers:
              - name: migrate
                image: web:1
                command:
                - sh
                - -c
                - |
                  migrate
                  # not a comment
            # the application
            containers:
              - {name: web, image: "web:1"}
            """
        let before = "# a file\n---\n" + Self.workload("Deployment", pod: pod) + "status: {}\n# the end\n"
        let after = try Self.inject(before)
        let lines = after.split(separator: "\n").map(\.trimmed)
        func place(_ line: String) -> Int { lines.firstIndex(of: line) ?? -1 }
        #expect(place("initContainers:") + 2 == place("image: sluice:1"))
        #expect(place("image: sluice:1") < place("- name: migrate"))
        #expect(place("- name: migrate") < place("# not a comment"))
        #expect(place("# not a comment") + 1 == place("# the application"))
        #expect(place("- name: data") < place("- name: sluice-no-token"))
        #expect(after.contains("\n        - name: sluice\n"), "indented as the others: \(after)")
        for line in before.split(separator: "\n") { #expect(after.contains(line + "\n"), "\(line)") }
        #expect(try Self.inject(after) == after)
    }

    @Test("other settings take the place of those before, the ConfigMap's too")
    func replaced() throws {
        let flags = ["--image", "sluice:2", "--dial", "5432:db.example.com:5433"]
        let before = Self.workload("Deployment", pod: Self.plain) + "---\nkind: Service\nmetadata:\n  name: s\n"
        let once = try Self.inject(before, flags)
        #expect(try Self.inject(Self.inject(before), flags) == once)
        #expect(once.contains("wellKnownCACertificates: System") && once.contains("hostname: db.example.com"))
        #expect(!once.contains("clientCertificateRef") && !once.contains("8443"))
        let own = try Self.inject(once, ["--image", "sluice:3", "--configmap", "mine", "--secret", "web-tls"])
        #expect(own.contains("- configMap: {name: mine}") && own.contains("secrets/default/server/tls.crt"))
        #expect(!own.contains("kind: ConfigMap") && own.contains("kind: Service"))
    }

    @Test("several workloads, in a List and beside it, each with a ConfigMap in its own namespace")
    func several() throws {
        let item = Self.workload("Deployment", pod: Self.plain, metadata: "{name: one, namespace: shop}")
        var list = "apiVersion: v1\nkind: List\nitems:\n"
        for (index, line) in item.split(separator: "\n").enumerated() {
            list += (index == 0 ? "- " : "  ") + line + "\n"
        }
        let before =
            list + "---\n" + Self.workload("Job", pod: Self.plain) + "---\n"
            + Self.workload("Pod", pod: Self.plain)
        let after = try Self.inject(before)
        #expect(after.split(separator: "\n").count { $0.trimmed == "- name: sluice" } == 6, "\(after)")
        #expect(after.contains("  name: one-sluice\n  namespace: shop\n"))
        #expect(after.split(separator: "\n").count { $0 == "  name: web-sluice" } == 1, "one for both of the name")
        #expect(try Self.inject(after) == after)
    }

    @Test("manifests/sidecar has what inject writes")
    func golden() throws {
        let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        for file in ["terminate", "dial"] {
            let text = try String(contentsOfFile: "\(root)/manifests/sidecar/\(file).yaml", encoding: .utf8)
            let command = text.split(separator: "\n").first { $0.contains("sluice inject -f FILE ") } ?? ""
            let flags = command.split(separator: " ").map(String.init).drop { $0 != "FILE" }.dropFirst()
            #expect(try Self.inject(text, Array(flags)) == text, "\(file)")
        }
    }

    @Test(
        "what keeps the sidecar out is named with object and field",
        arguments: [
            ("hostNetwork: true\n" + plain, "Deployment web: spec.template.spec.hostNetwork: "),
            ("{containers: [{name: web}]}", "Deployment web: spec.template.spec: is written in braces"),
            (plain + "volumes: []\n", "spec.template.spec.volumes: is written in brackets"),
            (plain + "volumes: 3\n", "spec.template.spec.volumes: is no list"),
            ("restartPolicy: Always\n", "spec.template.spec.containers: is missing"),
            ("containers:\n- name: sluice\n", "spec.template.spec.containers[0].name: there is a container sluice"),
            ("initContainers:\n- name: sluice\n" + plain, "spec.template.spec.initContainers[0].name: "),
            (plain + "volumes:\n- name: sluice\n", "spec.template.spec.volumes[0].name: there is a volume sluice"),
            (
                "containers:\n- name: web\n  ports:\n  - containerPort: 80\n  - containerPort: 8443\n",
                "spec.template.spec.containers[0].ports[1].containerPort: port 8443 is that of --terminate"
            ),
            (
                "containers:\n- name: web\n  ports:\n  - {containerPort: 19001}\n",
                "containerPort: port 19001 is that of --probe-port"
            ),
        ])
    func refused(pod: String, words: String) {
        let said = failure(Self.workload("Deployment", pod: pod))
        #expect(said.contains(words), "\(said)")
    }

    @Test("what is no workload, or cannot be read, is said with the file")
    func unreadable() {
        #expect(failure("kind: Service\n").contains("f.yaml: there is no workload (CronJob, "))
        #expect(failure("kind: [\n").contains("f.yaml:2"))
        #expect(failure("kind: Deployment\nmetadata:\n  name: web\n").contains("Deployment web: spec is missing"))
        #expect(failure(Self.workload("Pod", pod: Self.plain, metadata: "generateName: x-")).contains("metadata.name"))
        let twice =
            "kind: List\nitems:\n- kind: Pod\n  metadata: {name: a}\n  spec: &p\n    containers:\n    - name: web\n"
            + "- kind: Pod\n  metadata: {name: b}\n  spec: *p\n"
        #expect(failure(twice).contains("Pod b: spec: is an alias"), "\(failure(twice))")
        let merged =
            "kind: Pod\nmetadata: {name: a}\nspec:\n  <<: &p\n    containers:\n    - name: web\n  volumes: *p\n"
        #expect(failure(merged).contains("Pod a: spec.volumes: is"), "\(failure(merged))")
    }
}

extension StringProtocol {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
