internal import Glibc

private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: Callback
) -> Int32

// Of one thread, as all of libFuzzer is.
nonisolated(unsafe) private var target: FuzzTarget?
nonisolated(unsafe) private var runs = 0
nonisolated(unsafe) private var descriptors: Int?

/// Inputs that leave descriptors behind show after a while; an engine's pool of pipes comes into being on the way.
private func checkDescriptors() {
    runs += 1
    guard runs % 1000 == 0, let folder = opendir("/proc/self/fd") else { return }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    let first = descriptors ?? count
    descriptors = first
    if count > first + 256 { fatalError("\(count) descriptors, \(first) after the first runs") }
}

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
                checkDescriptors()
                return 0
            })
    }
}
