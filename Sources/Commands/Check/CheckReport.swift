internal import Controller
internal import Inspection
internal import KubernetesAPI
internal import ManifestSource
internal import Translation

/// What `sluice check` found, as its JSON has it (docs/reference/cli.md).
struct CheckReport: Encodable {
    /// Whether nothing is rejected and nothing is in error: exit code 0.
    var accepted: Bool
    var objects: [Object]
    var listeners: [ConfigurationView.Listener]
    var backends: [ConfigurationView.Backend]
    var problems: [Problem]
    var notices: [Remark]
    var unknownKinds: [Unknown]
    /// Links of the chains from Gateways to endpoints that are not good, as `explain` has them.
    var causes: [Explanation.Link]

    struct Object: Encodable {
        var kind: String
        /// Absent for kinds of cluster scope.
        var namespace: String?
        var name: String
        /// Empty for kinds without a status, and for objects that are not ours.
        var conditions: [ConditionView]

        var title: String { "\(kind) \(namespace.map { "\($0)/" } ?? "")\(name)" }
    }

    struct Problem: Encodable {
        var severity: String
        var file: String
        var line: Int?
        var object: String?
        var field: String?
        var message: String
        /// All of it in one line.
        var text: String
    }

    struct Remark: Encodable {
        var object: String
        var message: String
    }

    struct Unknown: Encodable {
        var apiVersion: String
        var kind: String
        /// The first file that has one.
        var file: String
    }
}

extension CheckReport {
    init(_ manifests: ManifestSnapshot, _ result: TranslationResult) {
        let items = result.statuses.items.filter { !$0.condition.isOpen }
        objects = CheckReport.objects(manifests.snapshot, items)
        let view = ConfigurationView(result.configuration)
        (listeners, backends) = (view.listeners, view.backends)
        problems = manifests.problems.map { problem in
            Problem(
                severity: problem.severity.rawValue, file: problem.file, line: problem.line > 0 ? problem.line : nil,
                object: problem.object, field: problem.field.isEmpty ? nil : problem.field, message: problem.message,
                text: problem.description)
        }
        notices = result.notices.map { Remark(object: "\($0.kind) \($0.key)", message: $0.message) }
        unknownKinds = manifests.unknownKinds.sorted { $0.key < $1.key }.map {
            Unknown(apiVersion: $0.key.apiVersion, kind: $0.key.kind, file: $0.value)
        }
        var inspected = Inspected(
            snapshot: manifests.snapshot, configuration: result.configuration, statuses: result.statuses)
        inspected.notices = result.notices
        causes = Explanation.troubles(in: inspected)
        accepted = !items.contains { $0.condition.isRejection } && !problems.contains { $0.severity == "error" }
    }

    private static func objects(_ snapshot: ClusterSnapshot, _ items: [StatusItem]) -> [Object] {
        let conditions = Dictionary(grouping: items) { $0.subject.object }
        let all = snapshot.identities.map { kind, key in
            let subject = StatusSubject(kind: kind, namespace: key.namespace, name: key.name)
            return (subject, conditions[subject.object] ?? [])
        }
        return all.map { subject, items in
            Object(
                kind: subject.kind, namespace: subject.namespace.isEmpty ? nil : subject.namespace, name: subject.name,
                conditions: items.sorted { left, right in
                    left.subject == right.subject
                        ? left.condition.type.rawValue < right.condition.type.rawValue : left.subject < right.subject
                }.map { ConditionView($0) })
        }
    }
}

extension Condition {
    /// Only serving would close it.
    fileprivate var isOpen: Bool { type == .programmed && status == .unknown }

    /// Whether it makes `check` fail: an object that is refused or in error, not one that merely deserves attention.
    fileprivate var isRejection: Bool {
        isProblem && type != .superseded && type != .overlappingTLSConfig && type != .warning
            && type != .clientPolicyAffected && type != .backendPolicyAffected && reason != .overridden
    }
}

extension ClusterSnapshot {
    /// Every object, in the order in which `check` lists kinds.
    fileprivate var identities: [(kind: String, key: ObjectKey)] {
        let kinds: [(String, [ObjectKey])] = [
            ("GatewayClass", Array(gatewayClasses.keys)), ("Gateway", Array(gateways.keys)),
            ("ListenerSet", Array(listenerSets.keys)),
            ("TCPRoute", Array(tcpRoutes.keys)), ("TLSRoute", Array(tlsRoutes.keys)),
            ("BackendTLSPolicy", Array(backendTLSPolicies.keys)), ("ReferenceGrant", Array(referenceGrants.keys)),
            ("ClientPolicy", Array(clientPolicies.keys)), ("BackendPolicy", Array(backendPolicies.keys)),
            ("Backend", Array(backends.keys)), ("GatewayParameters", Array(gatewayParameters.keys)),
            ("Service", Array(services.keys)),
            ("EndpointSlice", Array(endpointSlices.keys)), ("Secret", Array(secrets.keys)),
            ("ConfigMap", Array(configMaps.keys)), ("Namespace", Array(namespaces.keys)),
        ]
        return kinds.flatMap { kind, keys in keys.sorted().map { (kind, $0) } }
    }
}
