internal import CLinux

// Steady bulk of which little has arrived is looked at by the clock rather than woken for: what comes meanwhile is moved
// at once, with fewer acknowledgements and wake-ups of both peers. Its sources stand in an epoll of their own, so that
// arrivals interrupt nobody; where a look finds none ready, the next arrival wakes the worker as any other event does.
// As long as much arrives, a flow goes on with the ready list.

extension Worker {
    /// From this evidence on a flow is steady: sixteen splices in a row that were worth it.
    static let steadyBulk: UInt8 = 24
    /// Nanoseconds between two looks. Receive buffers hold what comes in it, even at 5 GB/s.
    private static let pause: Int64 = 1_000_000
    /// Then other events come first.
    private static let pacedBudget: Int64 = 500_000

    /// A paced flow that may have more: a round with the others, at the next look.
    func awaitLook(_ slot: Int, _ flow: UnsafeMutablePointer<Flow>) {
        flow.pointee.flags.insert(.ready)
        enqueue(slot, in: &paced)
        if pacedAt < 0 { pacedAt = now + Worker.pause }
    }

    /// Looks at all paced sources, and gives a round to each that is ready.
    func servePaced(_ events: UnsafeMutablePointer<epoll_event>) {
        let count = Int(sluice_epoll_wait(pacedEpoll.raw, events, Int32(Worker.eventCapacity), 0))
        for index in 0..<max(0, count) { dispatch(events[index].data.u64, events[index].events) }
        guard count > 0 || !paced.isEmpty else {
            let events = epollIn | epollOnce
            let result = sluice_epoll_control(epoll.raw, epollModify, pacedEpoll.raw, events, EventToken.paced)
            // Where nothing would wake us, the clock goes on doing so.
            pacedAt = result == 0 ? -1 : now + Worker.pause
            return
        }
        var left = paced.count
        pacedAt = now + Worker.pause
        while left > 0, let slot = paced.pop(records) {
            left -= 1
            serve(slot)
            if left > 0, sluice_monotonic_ns() - now > Worker.pacedBudget {
                pacedAt = 0
                return
            }
        }
    }

    /// Weighs a read as evidence of bulk. Pipes may run out for a flow that was steady.
    @inline(__always)
    func noteRead(_ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>, wasFull: Bool) {
        flow.pointee.bulk = wasFull ? min(flow.pointee.bulk + 1, 8) : 0
        if !wasFull, flow.pointee.flags.contains(.paced) { move(slot, direction, flow, isPaced: false) }
    }

    /// Weighs a splice as evidence, and moves the flow's source from one epoll to the other where it tips the scales.
    @inline(__always)
    func noteSplice(_ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>, _ wasWorthIt: Bool) {
        if wasWorthIt {
            flow.pointee.bulk = max(8, min(flow.pointee.bulk + 1, Worker.steadyBulk))
            if flow.pointee.bulk == Worker.steadyBulk, !flow.pointee.flags.contains(.paced) {
                move(slot, direction, flow, isPaced: true)
            }
        } else {
            flow.pointee.bulk = min(flow.pointee.bulk, 8) - 1
            if flow.pointee.bulk < 2, flow.pointee.flags.contains(.paced) {
                move(slot, direction, flow, isPaced: false)
            }
        }
    }

    /// A flow that is not looked at by the clock any more.
    func leavePace(_ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>) {
        flow.pointee.bulk = 0
        move(slot, direction, flow, isPaced: false)
    }

    /// Registering reports what is ready already, so that nothing is missed between the two. Where the kernel refuses,
    /// the flow stays where it is.
    private func move(_ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>, isPaced: Bool) {
        let descriptor = sides[2 * slot + direction.rawValue].descriptor
        let token = EventToken.connection(slot: slot, life: records[slot].life, side: direction.rawValue)
        let (from, to) = isPaced ? (epoll.raw, pacedEpoll.raw) : (pacedEpoll.raw, epoll.raw)
        guard sluice_epoll_control(to, epollAdd, descriptor, connectionEvents, token) == 0 else { return }
        _ = sluice_epoll_control(from, epollDelete, descriptor, 0, 0)
        if isPaced { flow.pointee.flags.insert(.paced) } else { flow.pointee.flags.remove(.paced) }
    }
}
