internal import Platform

/// Where batches go.
protocol EventSink: Sendable {
    /// For messages, without what may be a secret.
    var name: String { get }
    /// Delivers lines, an event each. Blocks; on the stream's thread.
    func deliver(_ lines: [UInt8]) -> Delivery
    /// Ends a delivery that is under way.
    func cancel()
}

/// What became of a batch.
enum Delivery: Hashable, Sendable {
    /// It is the receiver's now.
    case done
    /// Once more, later; not before so long, where the receiver said so.
    case failed(String, after: Duration?)
    /// The receiver will not have these events, at least not so many at once.
    case refused(String)
}

/// Appends lines to a file, which is opened for each batch: it may be renamed at any time.
struct FileSink: EventSink {
    let path: String

    var name: String { path }

    func deliver(_ lines: [UInt8]) -> Delivery {
        do throws(Errno) {
            try SpoolFiles.append(lines, to: path)
            return .done
        } catch { return .failed("\(error)", after: nil) }
    }

    func cancel() {}
}
