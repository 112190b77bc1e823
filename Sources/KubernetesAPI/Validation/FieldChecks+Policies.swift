extension FieldChecks {
    /// The targets of a policy of ours; `words`: the rule of what it may target.
    mutating func targets(
        _ field: String, _ targets: [PolicyTargetReference], _ words: String, allows: (PolicyTargetReference) -> Bool
    ) {
        count(field, targets.count, 1...16)
        for (index, target) in targets.enumerated() {
            let field = "\(field)[\(index)]"
            reference(field, group: target.group, kind: target.kind, name: target.name)
            text("\(field).sectionName", target.sectionName, 1...253, .subdomain)
        }
        rule(field, words, holds: targets.allSatisfy(allows))
        rule(
            field, "sectionName is only allowed for Gateway, ListenerSet and Service",
            holds: targets.allSatisfy {
                $0.sectionName == nil || ["Gateway", "ListenerSet", "Service"].contains($0.kind)
            })
        // An empty sectionName is there; the rules tell it from one that is not.
        sectionRules(
            field, "targetRefs includes 2 or more references to the same target",
            targets.map { ([$0.group, $0.kind, $0.name], $0.sectionName.map { "/\($0)" } ?? "") })
    }

    /// Versions, suites, groups and protocols of TLS, with the rules that hold for listeners as for backends.
    mutating func tlsParameters(
        _ field: String, versions: (least: String?, most: String?), ciphers: [String]?, curves: [String]?,
        alpnProtocols: [String]?
    ) {
        oneOf("\(field).minVersion", versions.least, ["1.2", "1.3"])
        oneOf("\(field).maxVersion", versions.most, ["1.2", "1.3"])
        texts("\(field).ciphers", ciphers, 1...32, 1...64)
        texts("\(field).ecdhCurves", curves, 1...16, 1...64)
        texts("\(field).alpnProtocols", alpnProtocols, 1...8, 1...255)
        rule(
            field, "minVersion must not be greater than maxVersion",
            holds: (versions.least ?? "") <= (versions.most ?? "9"))
        rule(
            field, "ciphers cannot be set when minVersion is 1.3", holds: ciphers == nil || versions.least != "1.3")
    }
}
