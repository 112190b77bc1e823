internal import KubernetesAPI

/// What is said on targets of the policies that are in force there.
struct TargetConditions {
    let clients: AttachmentIndex<ClientPolicyReading>
    let backends: AttachmentIndex<BackendPolicyReading>

    /// `gateway`: of a route, that of the parent in question.
    func affected(_ point: AttachmentPoint, at gateway: ObjectKey? = nil, generation: Int64?) -> [Condition] {
        clients.affected(point, at: gateway, generation: generation)
            + backends.affected(point, at: gateway, generation: generation)
    }
}
