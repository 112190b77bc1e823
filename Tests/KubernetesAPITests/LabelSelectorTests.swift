import KubernetesAPI
import Testing

@Suite("Label selector")
struct LabelSelectorTests {
    let labels = ["env": "prod", "team": "db"]

    @Test("an empty selector picks everything")
    func empty() {
        #expect(LabelSelector().matches([:]))
        #expect(LabelSelector(matchLabels: [:], matchExpressions: []).matches(labels))
    }

    @Test("all labels must match")
    func matchLabels() {
        #expect(LabelSelector(matchLabels: ["env": "prod", "team": "db"]).matches(labels))
        #expect(!LabelSelector(matchLabels: ["env": "prod", "team": "web"]).matches(labels))
        #expect(!LabelSelector(matchLabels: ["zone": "a"]).matches(labels))
    }

    @Test(
        "operators",
        arguments: [
            ("env", "In", ["prod", "test"], true), ("env", "In", ["test"], false), ("zone", "In", ["a"], false),
            ("env", "NotIn", ["prod"], false), ("env", "NotIn", ["test"], true), ("zone", "NotIn", ["a"], true),
            ("env", "Exists", [], true), ("zone", "Exists", [], false),
            ("env", "DoesNotExist", [], false), ("zone", "DoesNotExist", [], true),
        ])
    func operators(key: String, name: String, values: [String], expected: Bool) {
        let requirement = LabelSelector.Requirement(key: key, operator: name, values: values.isEmpty ? nil : values)
        #expect(requirement.isValid)
        #expect(requirement.matches(labels) == expected)
    }

    @Test(
        "a requirement that cannot be evaluated matches nothing",
        arguments: [("Like", ["prod"]), ("In", []), ("Exists", ["prod"])])
    func invalid(name: String, values: [String]) {
        let requirement = LabelSelector.Requirement(key: "env", operator: name, values: values)
        #expect(!requirement.isValid)
        #expect(!requirement.matches(labels))
    }
}
