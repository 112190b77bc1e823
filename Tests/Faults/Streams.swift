import CFaults
import TestSupport

/// What a client says first: who it is, and how much it sends and wants. Its bytes, and those it gets, are streams of its own.
struct Order {
    let number: UInt64
    let up: Int
    let down: Int

    var line: String { "\(number) \(up) \(down)\n" }

    init(number: UInt64, up: Int, down: Int) { (self.number, self.up, self.down) = (number, up, down) }

    init?(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count == 3, let number = UInt64(words[0]), let up = Int(words[1]), let down = Int(words[2]) else {
            return nil
        }
        (self.number, self.up, self.down) = (number, up, down)
    }

    var upwards: UInt64 { 2 * number }
    var downwards: UInt64 { 2 * number + 1 }
}

/// Bytes that are not those of the stream: somebody else's, or ours at the wrong place.
struct MixedUp: Error, CustomStringConvertible {
    let description: String
}

extension TestStream {
    func sendPattern(_ stream: UInt64, _ count: Int) throws {
        var offset = 0
        while offset < count {
            let size = min(128 << 10, count - offset)
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
                faults_pattern(stream, UInt64(offset), buffer.baseAddress, size)
                filled = size
            }
            try send(bytes, timeout: patience)
            offset += size
        }
    }

    func receivePattern(_ stream: UInt64, _ count: Int) throws {
        var offset = 0
        while offset < count {
            let bytes = try receive(max: min(128 << 10, count - offset), timeout: patience)
            guard !bytes.isEmpty else { throw StreamError.ended(after: []) }
            let wrong = bytes.withUnsafeBytes {
                faults_pattern_differs(stream, UInt64(offset), $0.baseAddress, $0.count)
            }
            guard wrong < 0 else {
                throw MixedUp(description: "byte \(offset + Int(wrong)) of \(count) is another stream's")
            }
            offset += bytes.count
        }
    }
}

/// How long a client waits for the next bytes: who waits longer hangs.
let patience = Duration.seconds(6)
