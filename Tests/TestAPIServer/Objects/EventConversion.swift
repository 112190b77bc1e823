internal import KubernetesAPI

/// Events are one kind under two APIs. They are kept as events.k8s.io/v1 writes them.
enum EventConversion {
    private static let names = [
        ("regarding", "involvedObject"), ("note", "message"), ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"), ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"),
    ]

    /// As core/v1 shows it.
    static func old(_ event: JSONValue) -> JSONValue {
        var result = event
        for (new, old) in names {
            result.set(new, to: nil)
            result.set(old, to: event[new])
        }
        result.set("apiVersion", to: .string("v1"))
        return result
    }

    /// As it is kept.
    static func new(_ event: JSONValue) -> JSONValue {
        var result = event
        for (new, old) in names {
            result.set(old, to: nil)
            result.set(new, to: event[old])
        }
        result.set("apiVersion", to: .string("events.k8s.io/v1"))
        return result
    }

    /// A field selector of the one API in the words of the other.
    static func selector(_ text: String) -> String { text.replacing("involvedObject.", with: "regarding.") }
}
