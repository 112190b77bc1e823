internal import Primitives

/// What `sluice inject` was asked to do.
public struct InjectOptions: Sendable {
    /// A path, or `-` for standard input.
    public var file: String
    public var sidecar: SidecarSettings
}

/// What the sidecar is to do, and from what it takes certificates.
public struct SidecarSettings: Hashable, Sendable {
    public var image: String
    public var terminated: [TerminatedPort] = []
    /// The Secret of the certificate that clients see.
    public var secret: String?
    /// Who issued the certificates that clients must have.
    public var clientAuthority: AuthorityReference?
    public var dialled: [DialledPort] = []
    /// Who issued the servers' certificates; nil: an authority that the image knows.
    public var serverAuthority: AuthorityReference?
    /// The Secret of the certificate that servers see.
    public var clientSecret: String?
    /// A ConfigMap that exists; nil: one is written for each workload.
    public var configMap: String?
    public var probePort = 19001

    /// Ports that the sidecar takes in the pod, with what takes them.
    var ports: [(port: Int, flag: String)] {
        var taken: [(port: Int, flag: String)] = []
        for item in terminated { taken.append((item.port, "--terminate")) }
        for item in dialled { taken.append((item.port, "--dial")) }
        let admin = Int(RunFlags.adminAddress.absent.port)
        return taken + [(probePort, "--probe-port"), (admin, "the admin address")]
    }
}

enum InjectFlags {
    static let file = Flag<String>(
        "filename", "FILE", help: "The manifests; - is standard input.", allowed: "FILE, or - for standard input",
        absent: "", isRequired: true, short: "f", parse: { $0.isEmpty ? nil : $0 })
    static let image = Flag<String>.text(
        "image", "IMAGE", help: "The sidecar's image; `make image` builds one.", isRequired: true)
    static let terminate = list(
        "terminate", "PORT:APP_PORT", help: "End TLS on PORT, for the application's APP_PORT on 127.0.0.1.",
        allowed: "PORT:APP_PORT, two different ports, such as 8443:8080", TerminatedPort.init)
    static let secret = Flag<String?>.objectName(
        "secret", "SECRET", help: "Secret (tls.crt, tls.key) of the certificate that clients see.")
    static let clientCA = authority(
        "client-ca", help: "Demand a client certificate of this authority (key ca.crt).")
    static let dial = list(
        "dial", "PORT:HOST:PORT", help: "Take connections to 127.0.0.1:PORT, and go on to HOST:PORT over TLS.",
        allowed: "PORT:HOST:PORT, such as 5432:db.example.com:5432; HOST is a DNS name, of no Service (.svc)",
        DialledPort.init)
    static let dialCA = authority(
        "dial-ca", help: "Authority of the servers' certificates (key ca.crt). Without it: those that are widely known."
    )
    static let dialSecret = Flag<String?>.objectName(
        "dial-secret", "SECRET", help: "Secret (tls.crt, tls.key) of the certificate that is shown to servers.")
    static let configMap = Flag<String?>.objectName(
        "configmap", "NAME", help: "A ConfigMap with manifests of your own, in the place of one that is written.")
    static let probePort = Flag<Int>.integer(
        "probe-port", in: 1024...65535, help: "Port of the sidecar's probes and metrics.", default: 19001)

    static let all = [
        file.description, image.description, terminate.description, secret.description, clientCA.description,
        dial.description, dialCA.description, dialSecret.description, configMap.description, probePort.description,
    ]

    private static func list<Item: Sendable>(
        _ name: String, _ placeholder: String, help: String, allowed: String,
        _ item: @escaping @Sendable (Substring) -> Item?
    ) -> Flag<[Item]> {
        Flag(
            name, placeholder + ",…", help: help, allowed: allowed, absent: [],
            parse: { text in
                let parts = text.split(separator: ",", omittingEmptySubsequences: false)
                let items = parts.compactMap(item)
                return items.count == parts.count ? items : nil
            })
    }

    private static func authority(_ name: String, help: String) -> Flag<AuthorityReference?> {
        Flag(
            name, "[secret/]NAME", help: help, allowed: "the name of a ConfigMap, or secret/NAME", absent: nil,
            parse: { AuthorityReference($0).map { .some($0) } })
    }
}

extension CommandDescription {
    static let inject = CommandDescription(
        name: "inject", summary: "Write Sluice as a sidecar into a workload's manifest",
        details: """
            Prints the manifests with a container in every Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob and
            Pod: it ends TLS for the application (--terminate), or adds TLS to what the application dials (--dial), from
            Secrets that are mounted, without access to the API server. A ConfigMap with its manifests follows at the end,
            unless --configmap names one. Comments and order stay; what inject wrote before is replaced.
            Kubernetes 1.29 or later. Exits with 1 where a workload cannot take it, and prints nothing then.
            """,
        examples: [
            (
                "mutual TLS in front of a port",
                "sluice inject -f web.yaml --image registry.example/sluice:1 --terminate 8443:8080 --secret web-tls "
                    + "--client-ca clients-ca"
            ),
            (
                "TLS with a client certificate to a database",
                "sluice inject -f app.yaml --image registry.example/sluice:1 --dial 5432:db.example.com:5432 "
                    + "--dial-ca database-ca --dial-secret app-client"
            ),
            (
                "from a cluster, and back",
                "kubectl get deployment web -o yaml | sluice inject -f - … | kubectl apply -f -"
            ),
        ],
        flags: InjectFlags.all)
}
