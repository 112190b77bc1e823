extension YAMLNode {
    /// The node at a path such as `spec.listeners[0].port` or `metadata.labels[a.b/c]`, or the deepest node on the way to
    /// it that exists.
    public func nearestNode(atField field: String) -> YAMLNode {
        var node = self
        for step in fieldSteps(field) {
            guard let next = node[step] ?? Int(step).flatMap({ node[$0] }) else { return node }
            node = next
        }
        return node
    }
}

/// The names and indices of a field path.
private func fieldSteps(_ field: String) -> [String] {
    var steps: [String] = []
    var step = ""
    var isBracketed = false
    for character in field {
        switch (character, isBracketed) {
        case (".", false), ("[", false):
            if !step.isEmpty { steps.append(step) }
            step = ""
            isBracketed = character == "["
        case ("]", true):
            steps.append(step)
            step = ""
            isBracketed = false
        default: step.append(character)
        }
    }
    if !step.isEmpty { steps.append(step) }
    return steps
}
