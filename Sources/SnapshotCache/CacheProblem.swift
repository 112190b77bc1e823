public import Platform

/// Why a cache cannot be read or written. Says nothing of what is in it.
public enum CacheProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is none.
    case absent
    case system(String, Errno)
    /// A directory or file that others could have written to, or that is another thing than it should be.
    case unsafe(String)
    /// Another process writes to the directory.
    case inUse
    /// Cut off, or another checksum or tag.
    case damaged(String)
    case foreignVersion(UInt16)
    /// It is sealed, and none of the keys is the one.
    case otherKey
    /// It is sealed, and there is no key; or the other way round.
    case sealed, notSealed
    case keyFile(String)
    /// Of another API server or installation.
    case otherOrigin(CachedCluster.Origin)
    case tooOld(seconds: Int64)
    case tooLarge(Int)

    public var description: String {
        switch self {
        case .absent: "there is none"
        case .system(let what, let error): "\(what): \(error)"
        case .unsafe(let what): what
        case .inUse: "another process writes to the directory"
        case .damaged(let what): "it is damaged: \(what)"
        case .foreignVersion(let version):
            "it has version \(version) of the format, and this Sluice reads version \(CacheHeader.version)"
        case .otherKey: "it is sealed with a key that is not in --cache-key-file"
        case .sealed: "it is sealed, and there is no --cache-key-file"
        case .notSealed: "it is not sealed, and with --cache-key-file only what is sealed is believed"
        case .keyFile(let what): "--cache-key-file: \(what)"
        case .otherOrigin(let origin):
            "it is of another installation: \(origin.controllerName) in \(origin.namespace) at \(origin.server)"
        case .tooOld(let seconds): "it is \(ageText(seconds)) old, which is more than --cache-max-age"
        case .tooLarge(let bytes): "it has \(bytes) bytes, and at most \(CacheHeader.largest) are read"
        }
    }
}

/// Such as `2 d 3 h`, `5 h 7 min`, `4 min` or `12 s`. Negative ages, of a clock that was set, are none.
public func ageText(_ seconds: Int64) -> String {
    let seconds = max(0, seconds)
    return switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min"
    case ..<86400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: "\(seconds / 86400) d \(seconds / 3600 % 24) h"
    }
}
