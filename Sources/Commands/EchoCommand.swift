internal import EchoServer
internal import Observability
internal import Platform

/// `sluice echo`: the built-in test backend.
public struct EchoCommand: Sendable {
    private let options: EchoOptions

    public init(options: EchoOptions) { self.options = options }

    /// Prints where it listens and serves until a signal; returns the exit code.
    public func run(signals: KernelSignals) throws -> Int32 {
        try run(signals as any SignalSource, print: StandardStream.output.write)
    }

    func run(_ signals: any SignalSource, print: (String) throws -> Void) throws -> Int32 {
        var configuration = EchoServer.Configuration()
        configuration.port = options.port
        configuration.name = options.name
        if let certificate = options.certificate, let key = options.key {
            configuration.tls = (try read(certificate, "--tls-cert"), try read(key, "--tls-key"))
        }
        let server = EchoServer(configuration)
        let port: UInt16
        do { port = try server.start() } catch { throw StartFailure("sluice echo: \(error)") }
        try print("echo \(options.name) listens on port \(port)\n")
        while let signal = signals.next(until: nil) { if signal.ends { break } }
        server.stop()
        return 0
    }

    private func read(_ path: String, _ flag: String) throws(StartFailure) -> [UInt8] {
        do { return try readFile(path) } catch {
            throw StartFailure("sluice echo: \(flag): cannot read '\(path)': \(error)")
        }
    }
}
