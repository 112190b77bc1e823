internal import CLinux
public import Primitives

extension Host {
    /// Addresses of this host's interfaces that are up, sorted: without loopback and link-local ones, or the loopback
    /// ones where there is nothing else.
    public static var localAddresses: [IPAddress] {
        var storage = [sockaddr_storage](repeating: sockaddr_storage(), count: 256)
        let count = storage.withUnsafeMutableBufferPointer {
            sluice_local_addresses($0.baseAddress, Int32($0.count))
        }
        guard count > 0 else { return [.loopbackV4] }
        let found = Set(storage.prefix(Int(count)).compactMap { KernelAddress.read($0)?.ip })
        let outside = found.filter { !$0.isLoopback && !$0.isLinkLocal }
        return (outside.isEmpty ? found.filter(\.isLoopback) : outside).sorted()
    }
}
