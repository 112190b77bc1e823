internal import Commands
internal import Engine
internal import EventStream
internal import Observability
internal import Platform

/// Prints one line on standard error and ends with `code`.
func refuse(_ line: String, code: Int32) -> Never {
    try? StandardStream.error.write(line + "\n")
    Host.exit(code)
}

/// Prints on standard output and ends with `code`; a reader that is gone is no error.
func answer(_ text: String, code: Int32 = 0) -> Never {
    try? StandardStream.output.write(text)
    Host.exit(code)
}

/// Before any key is read, whatever the command: what is said of it on the command line alone can allow core files.
func keepKeysToItself(_ interpretation: Interpretation) throws(Errno) {
    Host.wipeFreedMemory()
    if case .run(let options) = interpretation, options.allowCoreDumps { return }
    try Host.forbidCoreDumps()
}

ignoreBrokenPipeSignal()
do {
    let interpretation = Interpretation(Array(CommandLine.arguments.dropFirst()), environment: Host.environment)
    try keepKeysToItself(interpretation)
    switch interpretation {
    case .print(let text): answer(text)
    case .refuse(let line): refuse(line, code: 2)
    case .version(let format): answer(try versionText(format))
    case .check(let options):
        let (output, exitCode) = try CheckCommand(options: options).run()
        answer(output, code: exitCode)
    case .explain(let options):
        let (output, exitCode) = try ExplainCommand(options: options).run()
        answer(output, code: exitCode)
    case .trace(let options):
        let (output, exitCode) = try TraceCommand(options: options).run()
        answer(output, code: exitCode)
    case .probe(let options):
        let logger = try Logger(format: .auto, minimumLevel: .error)
        let prober = EndpointProber(logger: logger)
        let (output, exitCode) = try ProbeCommand(options: options, logger: logger, prober: prober).run()
        answer(output, code: exitCode)
    case .inject(let options): answer(try InjectCommand(options: options).run())
    case .status(let options): try StatusCommand(options: options).run()
    case .connections(let options): try ConnectionsCommand(options: options).run()
    case .top(let options): Host.exit(try TopCommand(options: options).run())
    case .doctor(let options):
        let (output, exitCode) = try DoctorCommand(options: options).run()
        answer(output, code: exitCode)
    case .retire(let options):
        let logger = try Logger(format: options.logFormat, minimumLevel: options.logLevel)
        let (output, exitCode) = try RetireCommand(options: options, logger: logger).run()
        answer(output, code: exitCode)
    case .convert(let options):
        let result = try ConvertCommand(options: options).run()
        try? StandardStream.error.write(result.summary)
        answer(result.output, code: result.exitCode)
    case .echo(let options): Host.exit(try EchoCommand(options: options).run(signals: KernelSignals()))
    case .run(let options):
        // Before the logger and everything else that starts threads: they inherit the blocked signals.
        let signals = try KernelSignals()
        let logger = try Logger(format: options.logFormat, minimumLevel: options.logLevel)
        let events = try options.events.map { try EventStream($0, logger: logger) }
        let command = RunCommand(options: options, logger: logger, events: events) { limits in
            let isOff = options.accessLog == nil && events == nil
            let accessLog = isOff ? nil : try AccessLog(to: options.accessLog, events: events, logger: logger)
            return try Engine(options: EngineOptions(limits), logger: logger, accessLog: accessLog)
        }
        Host.exit(try command.run(signals: signals))
    }
} catch {
    refuse("\(error)", code: 1)
}
