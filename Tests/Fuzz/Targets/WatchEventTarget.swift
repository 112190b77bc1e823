@testable internal import HTTPClient
internal import KubernetesAPI
@testable internal import KubernetesClient
internal import Observability

extension FuzzTarget {
    /// What an API server sends: a list's page, then a watch's stream in any pieces. The first byte says of which kind.
    static let watchEvents = FuzzTarget(name: "watch-events", maxLength: 8192) { bytes in
        guard let first = bytes.first else { return }
        let body = UnsafeRawBufferPointer(rebasing: bytes[1...])
        let kind = ClusterKind.all[Int(first) % ClusterKind.all.count]
        try checkStream(body, kind)
        try checkPage(Array(body), kind)
        let status = APIStatus(
            code: 400 + Int(first), body: Array(body), retryAfter: String(decoding: body.prefix(8), as: UTF8.self))
        try require(status.message.utf8.count <= 8192 && isOneLine(status.message), "a message: \(status.message)")
        try require((status.retryAfter ?? .zero) <= .seconds(3600), "a pause of \(status.retryAfter ?? .zero)")
    }

    private static func checkStream(_ body: UnsafeRawBufferPointer, _ kind: ClusterKind) throws {
        let whole = lines([body], limit: 1 << 20)
        try require(whole.allSatisfy { !$0.contains(10) }, "a line with a line end in it")
        var pieces: [UnsafeRawBufferPointer] = []
        var offset = 0
        for cut in CutPoints(in: body, limit: 16).sorted() + [body.count] {
            pieces.append(UnsafeRawBufferPointer(rebasing: body[offset..<cut]))
            offset = cut
        }
        try requireEqual(lines(pieces, limit: 1 << 20), whole, "the same stream in pieces")
        for limit in [16, 200] { try checkLimit(pieces, limit) }
        let contents = follow(whole, kind)
        try requireEqual(follow(whole, kind).snapshot, contents.snapshot, "the same events once more")
        for (identity, fault) in contents.faults {
            try require(isOneLine(fault.description), "more than one line: \(identity) \(fault)")
        }
    }

    /// What waits for the consumer is bounded, and he is told when it was too much.
    private static func checkLimit(_ pieces: [UnsafeRawBufferPointer], _ limit: Int) throws {
        let buffer = LineBuffer(limit: limit) {}
        buffer.set(HTTPHead(status: 200, headers: []))
        for piece in pieces where !buffer.append(piece) {
            let part = buffer.take()
            try require(part.lines.isEmpty && part.end != nil, "a stream that was cut, and says nothing of it")
            return
        }
        let part = buffer.take()
        try require(part.lines.reduce(0) { $0 + $1.count } <= limit && part.end == nil, "more waits than may")
    }

    /// The lines of a stream that came in these pieces, taken now and then.
    private static func lines(_ pieces: [UnsafeRawBufferPointer], limit: Int) -> [[UInt8]] {
        let buffer = LineBuffer(limit: limit) {}
        buffer.set(HTTPHead(status: 200, headers: []))
        var lines: [[UInt8]] = []
        for (index, piece) in pieces.enumerated() {
            _ = piece.withPrefix(piece.count) { buffer.append($0) }
            if index % 3 == 1 { lines += buffer.take().lines }
        }
        buffer.end(.finished)
        return lines + buffer.take().lines
    }

    /// As an informer does: a line that is no event ends the watch.
    private static func follow(_ lines: [[UInt8]], _ kind: ClusterKind) -> ClusterContents {
        let contents = ClusterContents()
        let cache = kind.cache(version: kind.versions[0], scope: CacheScope(), contents: contents, logger: .disabled)
        cache.begin()
        var isInitial = lines.count % 2 == 1
        for line in lines where !line.isEmpty {
            guard let said = try? cache.line(line, isInitial: isInitial) else { break }
            if case .error = said { break }
            if case .version(_, endsInitialEvents: true) = said, isInitial {
                cache.commit()
                isInitial = false
            }
        }
        return contents
    }

    private static func checkPage(_ body: [UInt8], _ kind: ClusterKind) throws {
        let contents = ClusterContents()
        let cache = kind.cache(version: kind.versions[0], scope: CacheScope(), contents: contents, logger: .disabled)
        cache.begin()
        guard let page = try? cache.page(body) else { return }
        try require(!page.resourceVersion.isEmpty, "a list without a version")
        cache.commit()
        let first = contents.snapshot
        contents.snapshotChanged = false
        // The same list once more changes nothing.
        cache.begin()
        _ = try cache.page(body)
        cache.commit()
        try requireEqual(contents.snapshot, first, "the same list once more")
        try require(!contents.snapshotChanged, "a change where none is")
        cache.clear()
        try requireEqual(contents.snapshot, ClusterSnapshot(asOf: 0), "what is left of a kind that is gone")
    }
}
