extension ObjectMeta {
    /// Name, namespace, labels and annotations.
    public func problems(nameRule: NameRule, namespaced: Bool) -> [FieldProblem] { [] }
}
