internal import EventStream

/// Flags of `run` that say where events of closed connections go.
enum EventFlags {
    static let sink = Flag<EventSettings.Sink?>(
        "event-sink", "URL|FILE",
        help: "Where an event goes for each connection that ends: an http(s) URL to post to, or a file to append to.",
        allowed: "an http:// or https:// URL, or the path of a file", absent: nil, fallback: "no events",
        parse: { text -> EventSettings.Sink?? in
            if text.isEmpty { return .none }
            let lower = text.prefix(8).lowercased()
            if lower.hasPrefix("https://") || lower.hasPrefix("http://") { return .some(.url(text)) }
            return text.contains("://") ? .none : .some(.file(path: text))
        })
    static let spool = Flag<String?>.optionalText(
        "event-spool", "DIR",
        help: "Folder in which events wait for delivery, also across restarts. Without it they wait in memory.")
    static let spoolSize = Flag<Int>.size(
        "event-spool-size", in: 1 << 16...1 << 36, help: "The most that waits; what comes then is dropped.",
        default: "16Mi")
    static let authorities = Flag<String?>.optionalText(
        "event-ca-file", "FILE",
        help: "Authorities that the sink's certificate is verified against, instead of the system's.")
    static let tokenFile = Flag<String?>.optionalText(
        "event-token-file", "FILE", help: "A bearer token for the sink, read for each delivery.")
    static let source = Flag<String>(
        "event-source", "URI", help: "What the source of events begins with, to tell installations apart.",
        allowed: "a URI or the path of one, without a query, a fragment and a slash at the end", absent: "/sluice",
        fallback: "/sluice", parse: { isSource($0) ? $0 : nil })

    static let all = [
        sink.description, spool.description, spoolSize.description, authorities.description, tokenFile.description,
        source.description,
    ]

    /// Characters of RFC 3986 that a path may have after a scheme and an authority; none of them is escaped in JSON.
    private static func isSource(_ text: String) -> Bool {
        !text.isEmpty && text.last != "/"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~:/@!$&'()*+,;=%[]".utf8.contains(byte)
                }
            }
    }

    /// What `run` was asked for; nil: no events.
    static func settings(_ arguments: ParsedArguments) throws(UsageError) -> EventSettings? {
        guard let sink = arguments.value(sink) else {
            if let flag = all.first(where: { arguments.texts[$0.name] != nil }) {
                throw UsageError("sluice run: --\(flag.name) needs --event-sink, which says where events go")
            }
            return nil
        }
        if case .file = sink,
            let flag = [authorities.description, tokenFile.description].first(where: { arguments.texts[$0.name] != nil }
            )
        {
            throw UsageError("sluice run: --\(flag.name) needs a URL as --event-sink, and not a file")
        }
        var settings = EventSettings(sink: sink)
        settings.spool = arguments.value(spool)
        settings.spoolSize = arguments.value(spoolSize)
        settings.authorities = arguments.value(authorities)
        settings.tokenFile = arguments.value(tokenFile)
        settings.source = arguments.value(source)
        settings.userAgent = "sluice/\(sluiceVersion) (linux)"
        return settings
    }
}
