internal import KubernetesAPI
internal import Platform

/// `/_control/…`: what the methods of ``TestAPIServer`` do, for a server in another process. Faults do not concern it.
struct ControlPath: Sendable {
    let state: Locked<ClusterState>

    func answer(_ request: ServedRequest) -> ServedResponse { .text(404, "no such command\n") }
}
