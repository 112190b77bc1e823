/// What two processes say to each other while one takes over from the other, a message each. The successor greets, asks for
/// sockets until none are left, and is ready when it could serve; the predecessor stops to accept and lets it.
enum HandoverMessage: Hashable {
    case greeting(version: String)
    case more
    /// Carries sockets; how many are to come after them.
    case sockets(left: Int)
    case ready
    /// From now on the successor accepts.
    case released
    /// The predecessor goes on as if nothing had been.
    case cancelled(String)
    /// The successor needs no parent to look after it any more.
    case farewell
    /// The other process is gone.
    case end
    case unknown(String)

    private static let protocolName = "sluice-handover-1"

    var text: String {
        switch self {
        case .greeting(let version): "\(HandoverMessage.protocolName) \(version)"
        case .more: "more"
        case .sockets(let left): "sockets \(left)"
        case .ready: "ready"
        case .released: "released"
        case .farewell: "farewell"
        case .cancelled(let why): "cancelled \(why)"
        case .end: ""
        case .unknown(let text): text
        }
    }

    init(_ text: String) {
        let (word, rest) =
            text.firstIndex(of: " ").map { (text[..<$0], String(text[text.index(after: $0)...])) } ?? (text[...], "")
        switch word {
        case "": self = .end
        case HandoverMessage.protocolName[...]: self = .greeting(version: rest)
        case "more": self = .more
        case "sockets": self = Int(rest).map { .sockets(left: $0) } ?? .unknown(text)
        case "ready": self = .ready
        case "released": self = .released
        case "farewell": self = .farewell
        case "cancelled": self = .cancelled(rest)
        default: self = .unknown(text)
        }
    }
}
