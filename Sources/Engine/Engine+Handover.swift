internal import CLinux
public import EngineModel
public import Platform

extension Engine {
    /// What concerns sockets that come from another process, or go to one.
    struct Handover {
        /// Not wanted by any configuration yet.
        var inherited: [Binding: [Int32]]
        /// Nothing is accepted yet.
        var isHeld: Bool
        /// Sockets are being passed on: what is bound now would be missing over there, and in its way.
        var isLending = false

        static let notNow = BindFailure(errno: 0, message: "listening sockets are being handed to another process")
    }

    /// Ends ``EngineOptions/holdsListeners``: every worker accepts from now on.
    public func beginAccepting() {
        control.withLock { control in
            guard control.handover.isHeld else { return }
            control.handover.isHeld = false
            listen(Array(control.groups.values))
        }
    }

    /// Closes inherited sockets that the configuration has no binding for; who waits in their queues is reset.
    public func closeUnusedInherited() -> [Binding] {
        control.withLock { control in
            for socket in control.handover.inherited.values.joined() { _ = sluice_close(socket) }
            defer { control.handover.inherited = [:] }
            return control.handover.inherited.keys.sorted()
        }
    }

    /// Where listeners are bound.
    public var boundBindings: Set<Binding> { control.withLock { Set($0.groups.keys) } }

    /// Copies of every listening socket, for another process; the caller closes them. All or none: EMFILE where the process has
    /// no descriptors left.
    public func copyListeners() throws(Errno) -> [Binding: [Int32]] {
        let copies = control.withLock { control in
            control.groups.mapValues { group in group.sockets.map { sluice_dup($0) } }
        }
        guard let failure = copies.values.joined().min(), failure < 0 else { return copies }
        for socket in copies.values.joined() where socket >= 0 { _ = sluice_close(socket) }
        throw Errno(rawValue: -failure)
    }

    /// While listeners are lent (``copyListeners()`` goes to another process that will take over) no new one is bound: bindings
    /// that a configuration adds wait for the end of it.
    public func setLending(_ isLending: Bool) {
        control.withLock { $0.handover.isLending = isLending }
    }

    /// Another process has copies of the listening sockets: accepts nothing from now on, leaves what waits in the queues to
    /// that process, and lets established connections go on. As ``beginDrain()``, for good.
    public func handOver() {
        control.withLock { control in
            control.leavesQueues = true
            control.isDraining = true
            reconcile(&control)
        }
    }
}

/// Which indices of ``RoutingTable/bindings`` are in use.
struct BindingSlots {
    private var free: [Int] = []
    /// How many there are, free ones included.
    private(set) var count = 0

    mutating func take(_ number: Int) -> [Int] {
        (0..<number).map { _ in
            if let slot = free.popLast() { return slot }
            count += 1
            return count - 1
        }
    }

    mutating func giveBack(_ slots: [Int]) { free += slots }
}
