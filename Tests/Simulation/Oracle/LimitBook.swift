import EngineModel
import Primitives

@testable import Engine

/// No limit is ever exceeded, and nobody is turned away while there is room: so no place is lost.
final class LimitBook {
    private struct Source: Hashable {
        var id: LimitID
        var address: IPAddress
    }
    private unowned let oracle: Oracle
    private var open: [LimitID: Int] = [:]
    private var sources: [Source: Int] = [:]

    init(_ oracle: Oracle) { self.oracle = oracle }

    func entered(_ limits: ClientLimits, _ session: Session, _ refusal: LimitRefusal?) {
        let source = Source(id: limits.id, address: session.address)
        let most = limits.connections?.perSource?.value
        let isSourceFull = most.map { sources[source, default: 0] >= $0 } ?? false
        let isFull = limits.connections?.value.map { open[limits.id, default: 0] >= $0 } ?? false
        switch refusal {
        case .sourceConnections:
            oracle.require("limits", isSourceFull, "\(session.address) is turned away with \(sources[source] ?? 0)")
        case .connections:
            oracle.require(
                "limits", isFull && !isSourceFull, "\(limits.id) turns away with \(open[limits.id] ?? 0) open")
        case .rate, .sourceRate: oracle.fail("limits", "a count says that a rate is exceeded")
        case nil:
            oracle.require("limits", !isSourceFull, "\(session.address) has more than \(most ?? 0) at \(limits.id)")
            oracle.require("limits", !isFull, "\(limits.id) has more than \(limits.connections?.value ?? 0)")
            open[limits.id, default: 0] += 1
            if most != nil { sources[source, default: 0] += 1 }
        }
    }

    func left(_ limits: ClientLimits, _ session: Session) {
        open[limits.id, default: 0] -= 1
        if limits.connections?.perSource != nil {
            sources[Source(id: limits.id, address: session.address), default: 0] -= 1
        }
    }

    func atEnd(_ gateway: Gateway) {
        for (id, count) in open {
            let left = gateway.compiler.limitStates.known(id)?.open.value ?? 0
            oracle.require("end", count == 0 && left == 0, "\(id) has \(left) connections left, \(count) in the books")
        }
        for counts in gateway.compiler.sourceCounts.living() {
            oracle.require("end", counts.count == 0, "\(counts.count) sources are left")
        }
    }
}
