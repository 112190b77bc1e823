internal import CLinux
internal import EngineModel
internal import Glibc
internal import Synchronization

// What is done where there is no room for another connection: newcomers wait in the kernel's queues, and those who have not
// got through their handshake make room for them.

extension Worker {
    /// Milliseconds that a connection may take at the limit to get through its handshake, however slowly it speaks.
    private static let patience: Int64 = 1000
    /// Milliseconds between two looks.
    private static let hurryInterval: Int64 = 100
    private static let hurryStride = 256

    /// At the limit: looks for places that are held by those who have not got through their handshake.
    func beginHurry() {
        guard hurryNext < 0, nowMilliseconds >= hurryAt else { return }
        (hurryNext, hurryAt) = (0, nowMilliseconds + Worker.hurryInterval)
        isGoingThroughSlots = true
    }

    func continueHurry() {
        let end = min(hurryNext + Worker.hurryStride, highestSlot)
        while hurryNext < end {
            guard isCrowded else { break }
            if isHalfOpen(hurryNext) {
                if records[hurryNext].stage == .handshake { countHandshake(hurryNext, .terminateUnknown, .timeout) }
                refuse(hurryNext, .overload, .proxy, detail: "half open, and others wait for its place")
            }
            hurryNext += 1
        }
        if hurryNext >= highestSlot || !isCrowded { hurryNext = -1 }
    }

    /// A sixteenth of all places, and not each single one, is made free: otherwise every newcomer would meet the limit.
    private var isCrowded: Bool {
        let limit = shared.options.maxConnections
        return shared.connections.load(ordering: .relaxed) > limit - limit / 16
    }

    /// Whether it is the client that is waited for: one that stands in a queue waits for us.
    private func isHalfOpen(_ slot: Int) -> Bool {
        let record = records + slot
        switch record.pointee.stage {
        case .proxyHeader, .startTLS, .inspect, .handshake: break
        default: return false
        }
        return !record.pointee.queued && now - record.pointee.acceptedAt >= Worker.patience * 1_000_000
    }

    /// Whether descriptors are left for more than what has been accepted already: some are kept for probes, the page, the log
    /// and the API server, which tell of the want of them.
    var hasSpareDescriptors: Bool {
        let probe = sluice_socket(AF_UNIX, streamType, 0)
        guard probe >= 0 else { return false }
        _ = sluice_close(probe)
        return probe < shared.options.descriptorCeiling
    }
}
