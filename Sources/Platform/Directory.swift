internal import CLinux

/// The names in a directory, without `.` and `..`, in the order of the file system.
public func listDirectory(_ path: String) throws(Errno) -> [String] {
    var names: [String] = []
    let result = withUnsafeMutablePointer(to: &names) { names in
        sluice_list_directory(
            path,
            { context, name in
                guard let context, let name else { return }
                context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            }, names)
    }
    try checked(result)
    return names
}

/// How many names a directory holds. In /proc/PID/fd Linux 6.2 and later tell it at once; elsewhere they are counted.
public func countDirectoryEntries(_ path: String) throws(Errno) -> Int {
    if path.hasPrefix("/proc/"), path.hasSuffix("/fd") {
        let size = try checked(sluice_file_size(path))
        if size > 0 { return Int(size) }
    }
    var count = 0
    let result = withUnsafeMutablePointer(to: &count) { count in
        sluice_list_directory(path, { context, _ in context?.assumingMemoryBound(to: Int.self).pointee += 1 }, count)
    }
    try checked(result)
    return count
}

/// Where a symbolic link points (bytes that are no UTF-8 are replaced; at most 4,095 bytes).
public func readLink(_ path: String) throws(Errno) -> String {
    var buffer = [UInt8](repeating: 0, count: 4095)
    let result = buffer.withUnsafeMutableBytes { sluice_read_link(path, $0.baseAddress, $0.count) }
    return String(decoding: buffer[..<Int(try checked(result))], as: UTF8.self)
}
