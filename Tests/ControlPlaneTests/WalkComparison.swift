import EngineModel
import FoundationEssentials
import KubernetesAPI
import Platform
import Primitives
import TestAPIServer
import TestSupport
import Testing

/// From the environment, so that a failed walk can be repeated; otherwise another one each time.
func walkSeed() throws -> UInt64 {
    guard let text = ProcessInfo.processInfo.environment["SLUICE_WALK_SEED"] else { return .random(in: 0 ... .max) }
    return try #require(UInt64(text), "SLUICE_WALK_SEED is not a number")
}

/// What the API server holds as status, by object, without the times.
func statusesByObject(_ server: TestAPIServer) -> [String: JSONValue] {
    var statuses: [String: JSONValue] = [:]
    for kind in ["GatewayClass", "Gateway", "ListenerSet", "TCPRoute", "TLSRoute", "BackendTLSPolicy", "Backend"] {
        for object in server.objects(kind) {
            let metadata = object["metadata"]
            let name = "\(kind) \(metadata?["namespace"]?.text ?? "")/\(metadata?["name"]?.text ?? "")"
            statuses[name] = (object["status"] ?? .null).withoutTimes
        }
    }
    return statuses
}

extension JSONValue {
    /// Without `lastTransitionTime` at any depth.
    fileprivate var withoutTimes: JSONValue {
        switch self {
        case .object(let fields): .object(fields.filter { $0.key != "lastTransitionTime" }.mapValues(\.withoutTimes))
        case .array(let elements): .array(elements.map(\.withoutTimes))
        default: self
        }
    }
}

/// Nothing is under way: no version has passed for a while, and the control plane has nothing left to do.
func isQuiet(_ plane: ControlPlane, _ server: TestAPIServer) throws -> Bool {
    let before = (server.resourceVersion, plane.states)
    guard plane.isIdle else { return false }
    // Longer than the caches put a change off, three times in a row.
    for _ in 0..<3 {
        let moved = waitUntil(deadline: .milliseconds(200)) {
            (server.resourceVersion, plane.states) != before || !plane.isIdle
        }
        if moved { return false }
    }
    return true
}

/// Says which listener or backend differs, instead of printing two whole configurations.
func expectEqual(_ walked: EngineConfiguration, _ started: EngineConfiguration, _ seed: UInt64) {
    #expect(walked.listeners.map(\.id) == started.listeners.map(\.id), "seed \(seed)")
    for (left, right) in zip(walked.listeners, started.listeners) where left != right {
        Issue.record("seed \(seed): listener \(left.id) is\n\(left)\nand after a fresh start\n\(right)")
    }
    #expect(walked.backends.map(\.id) == started.backends.map(\.id), "seed \(seed)")
    for (left, right) in zip(walked.backends, started.backends) where left != right {
        Issue.record("seed \(seed): backend \(left.id) is\n\(left)\nand after a fresh start\n\(right)")
    }
}

/// One Service for each Gateway of ours, no port twice, nothing left of those that are gone.
func expectOwnServices(_ server: TestAPIServer, _ seed: UInt64) throws {
    let gateways = server.objects("Gateway").filter { $0["spec"]?["gatewayClassName"]?.text == "sluice" }
    let uids = Set(gateways.compactMap { $0["metadata"]?["uid"]?.text })
    var ports: [Int64] = []
    for service in server.objects("Service", in: ControlPlane.namespace) {
        let labels = service["metadata"]?["labels"]
        let uid = try #require(labels?["sluice.dev/gateway-uid"]?.text)
        #expect(uids.contains(uid), "seed \(seed): a Service outlived its Gateway")
        ports += (service["spec"]?["ports"]?.elements ?? []).compactMap { $0["targetPort"]?.integer }
    }
    #expect(Set(ports).count == ports.count, "seed \(seed): a port was given twice")
}
