internal import CLinux

/// Anonymous zeroed memory; a page costs nothing until it is written. Kept for the life of the process.
func zeroedPages(_ size: Int) -> UnsafeMutableRawPointer {
    guard let pages = sluice_map_anonymous(size) else {
        // The kernel grants address space by overcommit; where even that is refused, ordinary memory serves.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        return memory
    }
    return pages
}
