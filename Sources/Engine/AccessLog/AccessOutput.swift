internal import CLinux
internal import EngineModel
internal import Glibc
internal import Observability
internal import Platform
internal import Synchronization

/// Where the lines of the access log go. Used by the writer's thread, but for ``reopenSoon()``.
protocol AccessOutput: AnyObject, Sendable {
    /// Lines that could not be written. May block.
    func write(_ bytes: UnsafeRawBufferPointer, _ logger: Logger) -> Int
    /// False: there is nothing to open again.
    func reopenSoon() -> Bool
    func reopenIfAsked(_ logger: Logger)
}

/// A standard stream or a file.
final class FileOutput: AccessOutput {
    private struct State {
        var descriptor: Int32
        /// Whether the last line was cut off by a failure.
        var isCut = false
        /// Whether the last write failed: told once.
        var isFailing = false
    }
    /// Nil: a standard stream, which stays as it is.
    private let path: String?
    private let isAsked = Atomic<Bool>(false)
    private let state: Locked<State>

    init(_ destination: AccessLogDestination) throws(AccessLogFailure) {
        switch destination {
        case .standardOutput: (path, state) = (nil, Locked(State(descriptor: 1)))
        case .standardError: (path, state) = (nil, Locked(State(descriptor: 2)))
        case .file(let path):
            let result = FileOutput.open(path)
            guard result >= 0 else {
                throw AccessLogFailure(description: "the access log \(path): \(Errno(rawValue: -result))")
            }
            (self.path, state) = (path, Locked(State(descriptor: result)))
        }
    }

    deinit {
        guard path != nil else { return }
        state.withLock { _ = sluice_close($0.descriptor) }
    }

    /// A pipe without a reader is an error rather than something to wait for.
    private static func open(_ path: String) -> Int32 {
        let result = sluice_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640)
        if result >= 0 { _ = sluice_set_nonblocking(result, 0) }
        return result
    }

    func reopenSoon() -> Bool {
        isAsked.store(true, ordering: .relaxed)
        return path != nil
    }

    func reopenIfAsked(_ logger: Logger) {
        guard let path, isAsked.exchange(false, ordering: .relaxed) else { return }
        let result = FileOutput.open(path)
        guard result >= 0 else {
            logger.error(
                "access log cannot be opened again",
                [LogKey.file: LogValue(path), LogKey.error: LogValue(describing: Errno(rawValue: -result))])
            return
        }
        state.withLock { state in
            _ = sluice_close(state.descriptor)
            state = State(descriptor: result)
        }
        logger.info("access log opened again", [LogKey.file: LogValue(path)])
    }

    func write(_ bytes: UnsafeRawBufferPointer, _ logger: Logger) -> Int {
        // Nobody else writes: what the lock guards is taken out meanwhile, for writing may block.
        var now = state.withLock { $0 }
        let (written, error) = put(bytes, &now)
        if let error {
            if written > 0 { now.isCut = bytes[written - 1] != UInt8(ascii: "\n") }
            if !now.isFailing {
                logger.error(
                    "access log cannot be written",
                    [LogKey.file: LogValue(path ?? ""), LogKey.error: LogValue(describing: error)])
            }
        }
        now.isFailing = error != nil
        state.withLock { $0 = now }
        return bytes[written...].reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, _ state: inout State) -> (Int, Errno?) {
        var newline = UInt8(ascii: "\n")
        while state.isCut {
            let result = sluice_write(state.descriptor, &newline, 1)
            if result == 1 { state.isCut = false }
            if let error = failure(result, state.descriptor) { return (0, error) }
        }
        var offset = 0
        while offset < bytes.count {
            let result = sluice_write(state.descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            if result > 0 { offset += Int(result) }
            if let error = failure(result, state.descriptor) { return (offset, error) }
        }
        return (offset, nil)
    }

    /// Nil: go on, if need be after a wait, for a standard stream may be one that does not block.
    private func failure(_ result: Int64, _ descriptor: Int32) -> Errno? {
        guard result <= 0 else { return nil }
        guard result == -Int64(EAGAIN) || result == 0 else { return Errno(rawValue: Int32(-result)) }
        var entry = [PollEntry(descriptor, read: false, write: true)]
        _ = try? pollReady(&entry, timeout: .seconds(1))
        return nil
    }
}
