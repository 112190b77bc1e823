internal import CLinux
internal import Glibc

/// What the file system says about a path.
public struct FileStatus: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case regular, directory, symbolicLink, other }

    public var kind: Kind
    public var device: UInt64
    public var inode: UInt64
    /// Names that the file has.
    public var links: UInt64
    /// In bytes.
    public var size: Int64
    /// In nanoseconds since 1970: when the content changed, and when anything about the file did.
    public var modified: Int64
    public var changed: Int64

    /// `followingLinks` false: of a symbolic link itself.
    public init(of path: String, followingLinks: Bool = true) throws(Errno) {
        var status = sluice_file_status_t()
        try checked(sluice_file_status(path, followingLinks ? 1 : 0, &status))
        kind =
            switch status.mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        (device, inode, links) = (status.device, status.inode, status.links)
        (size, modified, changed) = (status.size, status.modified_ns, status.changed_ns)
    }
}
