internal import EngineModel
internal import Platform

/// What notes for a format must hold beyond what is at hand.
struct AccessNeeds: OptionSet {
    let rawValue: UInt8
    static let local = AccessNeeds(rawValue: 1)
    static let upstreamLocal = AccessNeeds(rawValue: 2)
    static let certificate = AccessNeeds(rawValue: 4)
    /// How many connections others have.
    static let others = AccessNeeds(rawValue: 8)
    /// What the ClientHello offered.
    static let hello = AccessNeeds(rawValue: 16)
}

/// A format by number, as notes carry it.
struct AccessFormatID: Hashable, Sendable {
    var index: UInt16 = 0
    private var needed: UInt8 = 0

    init(_ index: UInt16, _ format: AccessLogFormat) { (self.index, needed) = (index, format.needs.rawValue) }

    var needs: AccessNeeds { AccessNeeds(rawValue: needed) }

    static let json = AccessFormatID(0, .json)
}

/// The formats there ever were, by number: notes of connections that began long ago may refer to any of them.
final class AccessFormats: Sendable {
    private let all = Locked<[AccessLogFormat]>([.json])
    /// What keeps names that notes may still refer to; nil: there are no notes.
    let retired: RetiredNames?

    init(retired: RetiredNames? = nil) { self.retired = retired }

    /// The number of a format, given at first sight. Of more than there are numbers for the last ones are JSON.
    func id(of format: AccessLogFormat) -> AccessFormatID {
        all.withLock { all in
            if let index = all.firstIndex(of: format) { return AccessFormatID(UInt16(index), format) }
            guard all.count < Int(UInt16.max) else { return .json }
            all.append(format)
            return AccessFormatID(UInt16(all.count - 1), format)
        }
    }

    subscript(_ index: UInt16) -> AccessLogFormat {
        all.withLock { $0.indices.contains(Int(index)) ? $0[Int(index)] : .json }
    }
}

extension AccessLogFormat {
    fileprivate var needs: AccessNeeds {
        switch self {
        case .json: return [.local, .upstreamLocal, .certificate, .hello]
        case .haproxyTCP: return .others
        case .text(let template):
            var needs: AccessNeeds = []
            for case .field(let field) in template.pieces {
                switch field {
                case .downstreamLocalAddress: needs.insert(.local)
                case .upstreamLocalAddress: needs.insert(.upstreamLocal)
                case .clientCertificateSubject, .clientCertificateSAN, .clientCertificateSPKI:
                    needs.insert(.certificate)
                case .ja4: needs.insert(.hello)
                default: break
                }
            }
            return needs
        }
    }
}

/// Which lines there are, as connections look it up.
struct AccessChoice: Sendable {
    /// Milliseconds between two lines of a session; 0: there are none.
    let interval: Int64
    let opens: Bool
    let closes: AccessLogSettings.Closes?

    static let none = AccessChoice(.none)

    init(_ settings: AccessLogSettings) {
        interval = settings.interval.map { max(1, $0.wholeMilliseconds) } ?? 0
        (opens, closes) = (settings.opens, settings.closes)
    }
}
