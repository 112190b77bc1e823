import Glibc
import Platform

ignoreBrokenPipeSignal()
_ = Host.raiseDescriptorLimit()
do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.isListing {
        for failure in Failure.all { print(failure.name) }
        exit(0)
    }
    var run = try Run(options)
    exit(run.all() ? 0 : 1)
} catch {
    print("sluice-faults: \(error)")
    exit(2)
}
