internal import Glibc

private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: Callback
) -> Int32

nonisolated(unsafe) private var target: FuzzTarget?

/// `sluice-fuzz TARGET [libFuzzer's options and folders]`; without a target it prints all of them, with the length of their inputs.
@main
enum Fuzzing {
    static func main() {
        guard CommandLine.arguments.count > 1, let found = FuzzTarget.named(CommandLine.arguments[1]) else {
            for target in FuzzTarget.all { print(target.name, target.maxLength) }
            exit(CommandLine.arguments.count > 1 ? 2 : 0)
        }
        target = found
        // libFuzzer looks at the rest, behind the program's name.
        var arguments = CommandLine.unsafeArgv
        arguments[1] = arguments[0]
        arguments += 1
        var count = CommandLine.argc - 1
        exit(
            runDriver(&count, &arguments) { data, size in
                // Memory of exactly that size: libFuzzer's own is longer.
                UnsafeRawBufferPointer(start: data, count: size).withPrefix(size) { bytes in
                    do { try target?.run(bytes) } catch { fatalError("\(error)") }
                }
                return 0
            })
    }
}
