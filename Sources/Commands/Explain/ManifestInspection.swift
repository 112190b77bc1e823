internal import Controller
internal import Inspection
internal import ManifestSource
internal import Primitives
internal import Translation

extension Inspected {
    /// What a folder of manifests would make of a gateway that serves it: nothing is bound, nothing is counted.
    init(manifests paths: [String], _ options: InspectionOptions, asOf: Int64?) throws(StartFailure) {
        let manifests = ManifestSource.load(paths, unknownFields: .warning, asOf: asOf)
        let errors = manifests.problems.filter { $0.severity == .error }
        guard errors.isEmpty else { throw StartFailure(errors.map { "\($0)" }.joined(separator: "; ")) }
        var translation = TranslationOptions()
        translation.controllerName = options.controllerName
        translation.defaultClassName = options.gatewayClass
        translation.standalone = true
        translation.reservedPorts = [RunFlags.probeAddress.absent.port, RunFlags.adminAddress.absent.port]
        let result = translate(manifests.snapshot, options: translation)
        self.init(snapshot: manifests.snapshot, configuration: result.configuration, statuses: result.statuses)
        notices = result.notices
    }
}
