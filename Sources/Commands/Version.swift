internal import Certificates
internal import Controller
internal import Platform

/// The version of this source tree; CHANGELOG.md says what is in it.
public let sluiceVersion = "0.1.0-dev"

/// What `sluice version` prints.
public func versionText(_ format: OutputFormat) throws -> String {
    switch format {
    case .text: return "sluice \(sluiceVersion) (commit \(Host.buildCommit), \(tlsLibraryVersion))\n"
    case .json:
        let answer = ["version": sluiceVersion, "commit": Host.buildCommit, "tlsLibrary": tlsLibraryVersion]
        return String(decoding: try encodeJSON(answer), as: UTF8.self)
    }
}
