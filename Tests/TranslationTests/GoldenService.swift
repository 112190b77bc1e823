import KubernetesAPI
import Translation

/// A Service that shall stand, as text for people.
struct ServiceShape: Encodable {
    let service: String
    let gateway: String
    let type: String
    /// Anew, because the living one cannot be changed.
    let recreate: Bool?
    let labels: [String: String]
    let annotations: [String: String]?
    let selector: [String: String]
    let ports: [String]
    let trafficPolicy: String?
    let loadBalancer: [String]?
    let families: [String]?

    init(_ service: DesiredService) {
        self.service = service.key.description
        gateway = service.gateway.description
        type = service.type
        recreate = service.mustRecreate ? true : nil
        labels = service.labels
        annotations = service.annotations.isEmpty ? nil : service.annotations
        selector = service.selector
        ports = service.ports.map { port in
            "\(port.name) \(port.port) to \(port.targetPort)" + (port.nodePort.map { " at node port \($0)" } ?? "")
        }
        trafficPolicy = service.externalTrafficPolicy
        let balancer = [
            service.loadBalancerClass.map { "class \($0)" }, service.loadBalancerIP.map { "IP \($0)" },
        ].compactMap { $0 }
        loadBalancer = balancer.isEmpty ? nil : balancer
        let families = [service.ipFamilyPolicy].compactMap { $0 } + (service.ipFamilies ?? [])
        self.families = families.isEmpty ? nil : families
    }
}
