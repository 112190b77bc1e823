/// Finds the first handshake message of a TLS stream among the records that carry its parts.
struct HandshakeRecords {
    enum Outcome {
        case stopped(ClientHelloParse)
        case whole
    }

    private static let headerLength = 5
    private static let handshakeType: UInt8 = 22
    private static let clientHelloType: UInt8 = 1
    private static let largestRecord = 1 << 14

    /// Where the last record of the message ends.
    private(set) var end = 0
    private var records = 0
    /// Handshake bytes seen in whole or partial records.
    private var gathered = 0
    /// The message's own header: type, then length in three bytes.
    private var header: UInt32 = 0
    /// The whole message with its header, once that is known.
    private var messageLength: Int? {
        gathered >= 4 ? 4 + Int(header & 0xff_ffff) : nil
    }

    /// Walks the records until the message is whole or something speaks against it.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Outcome {
        while true {
            // What is known before a byte comes is decided without it: how the stream was cut must not matter.
            if needed(end) > limit { return .stopped(.tooLarge) }
            if let problem = checkRecordHeader(bytes) { return .stopped(problem) }
            guard bytes.count - end >= HandshakeRecords.headerLength else { return need(end, limit) }
            let length = Int(bytes[end + 3]) << 8 | Int(bytes[end + 4])
            guard (1...HandshakeRecords.largestRecord).contains(length) else {
                return .stopped(.malformed(.recordLength(length)))
            }
            let start = end + HandshakeRecords.headerLength
            if needed(start + length, gathering: length) > limit { return .stopped(.tooLarge) }
            let available = min(length, bytes.count - start)
            note(UnsafeRawBufferPointer(rebasing: bytes[start..<start + available]))
            if gathered > 0, header >> headerShift != HandshakeRecords.clientHelloType {
                return .stopped(.malformed(.handshakeType(UInt8(truncatingIfNeeded: header >> headerShift))))
            }
            if let problem = checkLength(recordRest: length - available, limit: limit) { return .stopped(problem) }
            guard available == length else { return need(start + length, limit, gathering: length - available) }
            end = start + length
            records += 1
            if gathered == messageLength { return .whole }
        }
    }

    /// How far the type lies from the lowest byte of what is known of the header.
    private var headerShift: UInt32 { UInt32(min(gathered, 4) - 1) * 8 }

    /// Type and version of the record at `end`, as far as its bytes have come.
    private func checkRecordHeader(_ bytes: UnsafeRawBufferPointer) -> ClientHelloParse? {
        let isFirst = records == 0
        if bytes.count > end, bytes[end] != HandshakeRecords.handshakeType {
            return isFirst ? .notTLS : .malformed(.recordInterrupted(type: bytes[end]))
        }
        if bytes.count > end + 1, bytes[end + 1] != 3 {
            return isFirst ? .notTLS : .malformed(.recordInterrupted(type: bytes[end]))
        }
        return nil
    }

    private mutating func note(_ part: UnsafeRawBufferPointer) {
        var index = 0
        while gathered + index < 4, index < part.count {
            header = header << 8 | UInt32(part[index])
            index += 1
        }
        gathered += part.count
    }

    /// Compares the message's length with the limit and with what its records hold.
    private func checkLength(recordRest: Int, limit: Int) -> ClientHelloParse? {
        guard let messageLength else { return nil }
        if messageLength + HandshakeRecords.headerLength > limit { return .tooLarge }
        return gathered + recordRest > messageLength ? .malformed(.trailingData) : nil
    }

    /// How many bytes of the stream are needed at the least. `known` is where the record under way ends (or begins, when
    /// its header has not come); `gathering` how much of the message that record still brings.
    private func needed(_ known: Int, gathering: Int = 0) -> Int {
        let missing = max(messageLength ?? 4, 4) - gathered - gathering
        return known + (missing > 0 ? HandshakeRecords.headerLength + missing : 0)
    }

    private func need(_ known: Int, _ limit: Int, gathering: Int = 0) -> Outcome {
        let total = needed(known, gathering: gathering)
        return .stopped(total > limit ? .tooLarge : .needMore(total: total))
    }

    /// Lends the message's body without its header: in place when one record holds it, else a copy of the parts.
    func withMessage<Result, Failure: Error>(
        of bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard records > 1 else {
            return try body(UnsafeRawBufferPointer(rebasing: bytes[(HandshakeRecords.headerLength + 4)..<end]))
        }
        let whole = [UInt8](unsafeUninitializedCapacity: gathered) { buffer, count in
            var position = 0
            while position < end {
                let length = Int(bytes[position + 3]) << 8 | Int(bytes[position + 4])
                let start = position + HandshakeRecords.headerLength
                for byte in bytes[start..<start + length] {
                    buffer[count] = byte
                    count += 1
                }
                position = start + length
            }
        }
        return try HandshakeRecords.lend(whole, body)
    }

    /// `withUnsafeBytes` with a typed error.
    private static func lend<Result, Failure: Error>(
        _ whole: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome: Swift.Result<Result, Failure> = whole.withUnsafeBytes { buffer in
            do throws(Failure) {
                return .success(try body(UnsafeRawBufferPointer(rebasing: buffer[4...])))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
