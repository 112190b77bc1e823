/// How far a reader of a stream's first bytes has come.
enum StartReading<Value: Equatable>: Equatable {
    case needMore(total: Int)
    case decided(Value)
}

/// Holds for every reader that is given the first bytes of a stream, as many as have come: the bytes decide, never how they were cut.
func requireCutIndependence<Value: Equatable>(
    of bytes: UnsafeRawBufferPointer, limit: Int, _ read: (UnsafeRawBufferPointer) -> StartReading<Value>
) throws {
    let whole = bytes.withPrefix(bytes.count, read)
    for length in CutPoints(in: bytes) { try requireAgreement(of: bytes, length, limit, whole, read) }
    // As a worker reads: always as many as were asked for.
    var length = 0
    while case .needMore(let total) = bytes.withPrefix(length, read), total <= bytes.count {
        try require(total > length, "more bytes are asked for, but only \(total), of which \(length) are there")
        if total - length > 1 { try requireAgreement(of: bytes, total - 1, limit, whole, read) }
        length = total
    }
    try requireAgreement(of: bytes, length, limit, whole, read)
}

private func requireAgreement<Value: Equatable>(
    of bytes: UnsafeRawBufferPointer, _ length: Int, _ limit: Int, _ whole: StartReading<Value>,
    _ read: (UnsafeRawBufferPointer) -> StartReading<Value>
) throws {
    switch (bytes.withPrefix(length, read), whole) {
    case (.decided(let early), _):
        try requireEqual(.decided(early), whole, "\(length) of \(bytes.count) bytes say something else than all")
    case (.needMore(let total), .decided):
        try require(total > length && total <= limit, "\(total) bytes are asked for, \(length) are there")
        try require(length < bytes.count, "the same bytes read twice differ")
    case (.needMore(let total), .needMore(let end)):
        try require(total > length && total <= limit, "\(total) bytes are asked for, \(length) are there")
        try require(end >= total, "\(total) bytes are needed at the least, and later only \(end)")
    }
}
