internal import CLinux

/// Zeroed memory in whole pages: a page costs nothing until it is written. Given back when the owner goes.
final class ZeroedPages: @unchecked Sendable {
    // Sendable because the address never changes; what is done with the memory is its owner's affair.
    let base: UnsafeMutableRawPointer
    let size: Int
    private let isMapped: Bool

    init(_ size: Int) {
        self.size = size
        if let pages = sluice_map_anonymous(size) {
            base = pages
            isMapped = true
        } else {
            // The kernel grants address space by overcommit; where even that is refused, ordinary memory serves.
            base = .allocate(byteCount: size, alignment: 4096)
            base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            isMapped = false
        }
    }

    deinit {
        if isMapped { _ = sluice_unmap(base, size) } else { base.deallocate() }
    }
}
