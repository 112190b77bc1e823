/// The labels that make a Service one of ours; the translation gives them.
enum ServiceIdentity {
    static let controller = "sluice.dev/controller"
    static let labels = [
        "gateway.networking.k8s.io/gateway-name", "gateway.networking.k8s.io/gateway-class-name",
        "sluice.dev/gateway-namespace", "sluice.dev/gateway-uid", controller,
    ]
}
