internal import Controller
internal import ManifestSource
internal import Primitives
internal import Translation

/// `sluice check`: reads and translates as `run` would, without serving. Unknown fields are errors.
public struct CheckCommand: Sendable {
    private let options: CheckOptions

    public init(options: CheckOptions) { self.options = options }

    /// What to print, and the exit code: 1 where anything is not accepted or in error. `asOf` in seconds since 1970.
    public func run(asOf: Int64? = nil) throws -> (output: String, exitCode: Int32) {
        var translation = TranslationOptions()
        translation.controllerName = options.controllerName
        translation.defaultClassName = options.gatewayClass
        translation.standalone = true
        translation.zone = options.zone
        translation.reservedPorts = [RunFlags.probeAddress.absent.port, RunFlags.adminAddress.absent.port]
        let manifests = ManifestSource.load(options.paths, unknownFields: .error, asOf: asOf)
        let report = CheckReport(manifests, translate(manifests.snapshot, options: translation))
        let output =
            switch options.output {
            case .text: report.text
            case .json: String(decoding: try encodeJSON(report), as: UTF8.self)
            }
        return (output, report.accepted ? 0 : 1)
    }
}
