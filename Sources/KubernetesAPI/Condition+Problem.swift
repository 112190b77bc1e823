extension Condition {
    /// Whether it says that something is not as its author meant it.
    public var isProblem: Bool {
        switch type {
        case .accepted, .resolvedRefs, .programmed, .supportedVersion, .clientPolicyAffected, .backendPolicyAffected:
            status == .false
        case .conflicted, .overlappingTLSConfig, .superseded, .warning, .partiallyInvalid: status == .true
        default: false
        }
    }
}
