internal import CLinux
internal import EngineCore
internal import EngineModel
internal import Glibc
internal import Platform
internal import Synchronization

/// A second attempt beside one that is slow, to the other address family of the same name (RFC 8305).
struct Race {
    /// Of the slot; a record that has another has nothing to do with it.
    let life: UInt32
    /// Index in the backend's endpoints.
    let index: Int
    let endpoint: EndpointState
    /// Milliseconds: when both attempts have taken too long.
    let deadline: Int64
    /// False while the first attempt is given its head start.
    var hasBegun = false
    /// -1 before it has begun, and once it has failed.
    var descriptor: Int32 = -1
    var flags: SideFlags = []
}

// Of two attempts to one name the first that connects is used. Only for endpoints with an alternate; whatever happens to the
// first attempt, the connection's own side, is the business of `Worker+Connect`.

extension Worker {
    /// RFC 8305 §5: the head start of the first attempt.
    private static let headStart: Int64 = 250

    /// An attempt begins to an endpoint of a name with addresses of both families.
    func prepareRace(_ slot: Int, _ backend: BackendRuntime, _ endpoint: EndpointState) {
        let record = records + slot
        // Where connections are counted against limits, an attempt is one of them: none goes beside it.
        guard backend.circuit == nil, let index = backend.endpoints.firstIndex(where: { $0 === endpoint }) else {
            return
        }
        let alternate = Int(backend.resolved.alternates[index])
        guard alternate >= 0, !record.pointee.tried.contains(alternate) else { return }
        let deadline = record.pointee.stageDeadline
        races[Int32(slot)] = Race(
            life: record.pointee.life, index: alternate, endpoint: backend.endpoints[alternate], deadline: deadline)
        record.pointee.stageDeadline = min(deadline, nowMilliseconds + Worker.headStart)
    }

    /// The head start is over. False: there is no second attempt to begin.
    func beginRace(_ slot: Int) -> Bool {
        let record = records + slot
        guard var race = races[Int32(slot)], race.life == record.pointee.life, !race.hasBegun,
            nowMilliseconds < race.deadline, let backend = record.pointee.backend?.takeUnretainedValue()
        else { return false }
        race.hasBegun = true
        record.pointee.stageDeadline = race.deadline
        armTimer(slot)
        if mayUse(race, backend) {
            record.pointee.tried.insert(race.index)
            race.descriptor = connectAlternate(slot, backend, race)
        }
        races[Int32(slot)] = race
        return true
    }

    private func mayUse(_ race: Race, _ backend: BackendRuntime) -> Bool {
        (backend.standings.isEmpty || backend.standings[race.index].isUsable) && !backend.isFull(race.index)
    }

    /// The second attempt's descriptor; -1 where it failed at once.
    private func connectAlternate(_ slot: Int, _ backend: BackendRuntime, _ race: Race) -> Int32 {
        // Without a descriptor for it, the first attempt goes on alone.
        let descriptor = sluice_socket(race.endpoint.family, streamType, 0)
        guard descriptor >= 0 else { return -1 }
        guard descriptor < shared.options.descriptorCeiling else {
            _ = sluice_close(descriptor)
            return -1
        }
        _ = sluice_set_option(descriptor, protocolTCP, TCP_NODELAY, 1)
        var result = race.endpoint.kernelAddress.withPointer { sluice_connect(descriptor, $0, $1) }
        if result == 0 || result == -EINPROGRESS {
            let token = EventToken.race(slot: slot, life: race.life)
            result = sluice_epoll_control(epoll.raw, epollAdd, descriptor, connectionEvents, token)
        }
        guard result == 0 else {
            _ = sluice_close(descriptor)
            countAlternateFailure(slot, backend, race, -result)
            return -1
        }
        race.endpoint.active.add(1, ordering: .relaxed)
        return descriptor
    }

    /// The second attempt's socket reported something: looked at when all events of the turn are known, as the first's.
    func raceEvent(_ token: UInt64, _ events: UInt32) {
        let slot = EventToken.raceSlot(token)
        guard let race = races[Int32(slot)], race.life & 0x3fff_ffff == EventToken.raceLife(token),
            race.life == records[slot].life, records[slot].stage == .connect
        else { return }
        if events & epollOut != 0 { races[Int32(slot)]?.flags.insert(.writable) }
        if events & epollError != 0 { races[Int32(slot)]?.flags.insert(.failed) }
        if events & (epollPeerClosed | epollHangUp) != 0 { races[Int32(slot)]?.flags.insert([.readable, .hungUp]) }
        if events & epollIn != 0 { races[Int32(slot)]?.flags.insert(.readable) }
        enqueue(slot, in: &comers)
    }

    /// One of the attempts has come to an end, or both have. What is left afterwards is the connection's own side, if it is
    /// decided.
    func judgeRace(_ slot: Int) {
        guard let race = races[Int32(slot)], race.life == records[slot].life else { return }
        let own = sides[2 * slot + 1].flags
        if own.contains(.failed) { return }
        if own.contains(.writable) {
            // What follows the connect has all of the time, not the head start.
            records[slot].stageDeadline = race.deadline
            armTimer(slot)
            return dropRace(slot)
        }
        guard race.descriptor >= 0 else { return }
        if race.flags.contains(.failed) {
            let error = sluice_socket_error(race.descriptor)
            abandon(race)
            races[Int32(slot)]?.descriptor = -1
            if let backend = records[slot].backend?.takeUnretainedValue() {
                countAlternateFailure(slot, backend, race, error)
            }
        } else if race.flags.contains(.writable) {
            takeAlternate(slot, race)
        }
    }

    /// The first attempt failed. Nil: there is no other one, and it is as with every endpoint; else it goes on with that.
    func outliveFailure(
        _ slot: Int, _ reason: CloseReason, _ result: ConnectResult, _ problem: String, _ isOurs: Bool
    ) -> StageOutcome? {
        let record = records + slot
        guard let race = races.removeValue(forKey: Int32(slot)), race.life == record.pointee.life else { return nil }
        guard let backend = record.pointee.backend?.takeUnretainedValue(), nowMilliseconds < race.deadline,
            race.descriptor >= 0 || !race.hasBegun
        else {
            if race.descriptor >= 0 {
                if let backend = record.pointee.backend?.takeUnretainedValue() {
                    countFailure(of: race, backend, result)
                }
                abandon(race)
            }
            return nil
        }
        if race.descriptor >= 0 {
            countAttempt(slot, backend, result)
            if !isOurs { noteFailedAttempt(slot, backend) }
            logFailure(slot, reason, "connecting to the backend failed", problem)
            takeAlternate(slot, race)
            if !sides[2 * slot + 1].flags.isEmpty { enqueue(slot, in: &comers) }
            return .wait
        }
        guard mayUse(race, backend) else { return nil }
        countAttempt(slot, backend, result)
        if !isOurs { noteFailedAttempt(slot, backend) }
        logFailure(slot, reason, "connecting to the backend failed", problem)
        closeBackendSide(slot)
        record.pointee.tried.insert(race.index)
        // Not a retry: the name has another address.
        record.pointee.attempts -= 1
        return dial(slot, backend, race.endpoint)
    }

    /// The second attempt becomes the connection's own side; the first is closed.
    private func takeAlternate(_ slot: Int, _ race: Race) {
        let record = records + slot
        races[Int32(slot)] = nil
        closeBackendSide(slot)
        releaseEndpoint(slot)
        record.pointee.endpoint = .passRetained(race.endpoint)
        let side = sides + (2 * slot + 1)
        side.pointee.descriptor = race.descriptor
        side.pointee.flags = race.flags
        record.pointee.stageDeadline = race.deadline
        armTimer(slot)
        let token = EventToken.connection(slot: slot, life: record.pointee.life, side: 1)
        let changed = sluice_epoll_control(epoll.raw, epollModify, race.descriptor, connectionEvents, token)
        if changed != 0 { side.pointee.flags.insert(.failed) }
    }

    /// The second attempt is not needed any more.
    func dropRace(_ slot: Int) {
        guard let race = races.removeValue(forKey: Int32(slot)), race.descriptor >= 0 else { return }
        abandon(race)
    }

    private func abandon(_ race: Race) {
        _ = sluice_close(race.descriptor)
        _ = race.endpoint.active.subtract(1, ordering: .relaxed)
    }

    private func countAlternateFailure(_ slot: Int, _ backend: BackendRuntime, _ race: Race, _ error: Int32) {
        let (reason, result) = Worker.failure(error)
        countFailure(of: race, backend, result, isOurs: Worker.isShortage(error))
        logFailure(
            slot, reason, "connecting to the backend's other address failed",
            "\(race.endpoint.address): \(Errno(rawValue: error))")
    }

    private func countFailure(
        of race: Race, _ backend: BackendRuntime, _ result: ConnectResult, isOurs: Bool = false
    ) {
        backend.cells[handle.index].add(BackendField.connects(result))
        race.endpoint.traffic.count(result)
        guard backend.isObserved, !isOurs, let health = backend.observed[ObjectIdentifier(race.endpoint)] else {
            return
        }
        noteFailure(of: health, backend)
    }
}
