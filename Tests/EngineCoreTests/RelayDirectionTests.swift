import EngineCore
import Testing

@Suite("Relay direction", .timeLimit(.minutes(5)))
struct RelayDirectionTests {
    private func run(_ inputs: [RelayDirection.Input]) -> (RelayDirection, [RelayDirection.Action]) {
        var direction = RelayDirection()
        var actions: [RelayDirection.Action] = []
        for input in inputs { actions.append(direction.step(input)) }
        return (direction, actions)
    }

    @Test("an end of stream waits for the bytes read before it", arguments: [1, 65_536])
    func endWaits(bytes: Int) {
        let (direction, actions) = run([.read(bytes: bytes), .endOfStream, .wrote(bytes: bytes), .endOfStream])
        #expect(actions == [.none, .none, .shutdownWrite, .none])
        #expect(direction.isFinished && !direction.isTruncated && direction.bytesWritten == UInt64(bytes))
    }

    @Test("an end with nothing before it is passed on at once, and bytes after it do not count")
    func emptyEnd() {
        let (direction, actions) = run([.truncatedEnd, .read(bytes: 5), .wrote(bytes: 5)])
        #expect(actions == [.shutdownWrite, .none, .none])
        #expect(direction.isTruncated && direction.bytesRead == 0 && direction.bytesWritten == 0)
    }

    @Test("a FIN after close_notify does not make the end a truncated one")
    func endTwice() {
        let (direction, _) = run([.endOfStream, .truncatedEnd])
        #expect(!direction.isTruncated)
    }

    @Test("a reset drops what is buffered and is passed on once, also after the end")
    func resets() {
        let (direction, actions) = run([.read(bytes: 9), .reset, .wrote(bytes: 9), .reset, .endOfStream])
        #expect(actions == [.none, .abort, .none, .none, .none])
        #expect(direction.isFinished && direction.buffered == 0 && direction.bytesWritten == 0)
        #expect(run([.endOfStream, .reset]).1 == [.shutdownWrite, .abort])
    }

    @Test("after a partial write 64 KiB more may be read until the buffer is empty")
    func backpressure() {
        #expect(run([.read(bytes: 100_000)]).0.readAllowance == .max)
        #expect(run([.read(bytes: 100_000), .wrote(bytes: 1)]).0.readAllowance == 65_536)
        #expect(run([.read(bytes: 10), .wrote(bytes: 0), .read(bytes: 65_000)]).0.readAllowance == 536)
        #expect(run([.read(bytes: 10), .wrote(bytes: 5), .wrote(bytes: 5)]).0.readAllowance == .max)
        #expect(run([.endOfStream]).0.readAllowance == 0)
    }

    @Test(
        "random orders keep the books: every byte is passed on, then the end, once",
        arguments: 1...50 as ClosedRange<UInt64>)
    func simulation(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var direction = RelayDirection()
        var (read, written, shutdowns, aborts, ended) = (0, 0, 0, 0, false)
        for _ in 0..<400 {
            let bytes = Int(random.next() % 70_000)
            let input: RelayDirection.Input =
                switch random.next() % 200 {
                case 0: .endOfStream
                case 1: .truncatedEnd
                case 2: .reset
                case 3..<100: .read(bytes: bytes)
                default: .wrote(bytes: min(bytes, read - written))
                }
            if aborts == 0, case .read(let bytes) = input, !ended { read += bytes }
            if aborts == 0, case .wrote(let bytes) = input { written += bytes }
            if aborts == 0, input == .endOfStream || input == .truncatedEnd { ended = true }
            switch direction.step(input) {
            case .none: break
            case .shutdownWrite:
                shutdowns += 1
                #expect(ended && read == written)
            case .abort: aborts += 1
            }
            #expect(direction.bytesRead == UInt64(read) && direction.bytesWritten == UInt64(written))
        }
        #expect(shutdowns <= 1 && aborts <= 1 && direction.isAborted == (aborts == 1))
    }
}
