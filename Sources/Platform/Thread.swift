internal import CLinux
internal import Glibc

/// A joinable thread of the operating system.
public struct Thread: ~Copyable, Sendable {
    private let handle: pthread_t

    /// Starts a thread; its name is cut to the kernel's 15 bytes. `yielding`: by how much it stands back where more threads want to
    /// run than there are cores, 0–19 (nice(2), of this thread alone: each step is about a quarter more for the others).
    /// `wiping`: it handles keys, and zeroes all memory that it frees (see ``Host/wipeFreedMemory()``).
    public init(named name: String, yielding: Int32 = 0, wiping: Bool = false, _ body: @escaping @Sendable () -> Void)
        throws(Errno)
    {
        let box = Unmanaged.passRetained(Start(name: name, yielding: yielding, wiping: wiping, body: body))
        var handle = pthread_t()
        let error = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                _ = sluice_set_thread_name(start.name)
                // Refused it runs as any other.
                if start.yielding > 0 { _ = sluice_yield_to_others(start.yielding) }
                if start.wiping { Host.wipeFreedMemory() }
                start.body()
                return nil
            }, box.toOpaque())
        guard error == 0 else {
            box.release()
            throw Errno(rawValue: error)
        }
        self.handle = handle
    }

    /// Waits for the thread's end.
    public consuming func join() { pthread_join(handle, nil) }

    /// Lets it run on by itself.
    public consuming func detach() { pthread_detach(handle) }

    private final class Start: Sendable {
        let name: String
        let yielding: Int32
        let wiping: Bool
        let body: @Sendable () -> Void
        init(name: String, yielding: Int32, wiping: Bool, body: @escaping @Sendable () -> Void) {
            (self.name, self.yielding, self.wiping, self.body) = (name, yielding, wiping, body)
        }
    }
}

/// Blocks the calling thread for so long.
public func pause(for duration: Duration) {
    var left = duration.wholeMicroseconds
    while left > 0 {
        let part = min(left, 900_000)
        usleep(UInt32(part))
        left -= part
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: Int64 { wholeNanoseconds / 1000 }
}
