internal import Platform

/// `sluice inject`: reads manifests, and prints them with a sidecar in every workload.
public struct InjectCommand: Sendable {
    private let options: InjectOptions

    public init(options: InjectOptions) { self.options = options }

    /// What to print.
    public func run() throws(StartFailure) -> String {
        let isInput = options.file == "-"
        let bytes: [UInt8]
        do {
            bytes = try readFile(isInput ? "/dev/stdin" : options.file)
        } catch {
            throw StartFailure("sluice inject: \(options.file) cannot be read: \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StartFailure("sluice inject: \(options.file): is not text in UTF-8")
        }
        do {
            return try Injection(settings: options.sidecar).applied(
                to: text, file: isInput ? "standard input" : options.file)
        } catch {
            throw StartFailure("sluice inject: \(error)")
        }
    }
}
