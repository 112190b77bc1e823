// Kinds whose metadata alone is checked.

extension Namespace: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension GatewayClass: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension Gateway: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension TCPRoute: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension TLSRoute: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension ReferenceGrant: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension BackendTLSPolicy: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension Backend: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension Service: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension EndpointSlice: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension Secret: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}

extension ConfigMap: ValidatedResource {
    public func specProblems() -> [FieldProblem] { [] }
}
