/// A MiddlewareTCP.
struct TraefikMiddleware {
    private let object: SourceObject

    init(_ object: SourceObject) { self.object = object }

    func apply(to entry: inout Entry) {
        let spec = object.root["spec"]
        for kind in ["ipAllowList", "ipWhiteList"] { allow(spec?[kind], &entry) }
        limit(spec?["inFlightConn"], &entry)
        let known: Set<String> = ["ipAllowList", "ipWhiteList", "inFlightConn"]
        for (key, field) in spec?.entries ?? [] where !known.contains(key) {
            close(&entry, "\(field.path) of MiddlewareTCP \(object.name) is not known, and may keep clients out.")
            field.drop("Not known: the route lets nobody in until you say who may.")
        }
    }

    private func allow(_ list: SourceField?, _ entry: inout Entry) {
        guard let list else { return }
        guard let range = list["sourceRange"], let blocks = Blocks.parse(range.texts) else {
            entry.client.allowed = []
            close(&entry, "\(list.path) of MiddlewareTCP \(object.name) has no readable sourceRange.")
            return list.drop("It lets nobody in: sourceRange needs addresses and blocks of them.")
        }
        range.convert()
        // All lists of a chain must hold.
        entry.client.allowed = entry.client.allowed.map { Blocks.intersection($0, blocks) } ?? blocks
    }

    private func limit(_ field: SourceField?, _ entry: inout Entry) {
        guard let field else { return }
        guard let amount = field["amount"]?.takeInteger(), amount > 0 else {
            close(&entry, "\(field.path) of MiddlewareTCP \(object.name) allows no connection.")
            return field.drop("An amount of 0 lets nobody in; the route is closed.")
        }
        entry.client.perSource = min(entry.client.perSource ?? amount, amount)
    }

    private func close(_ entry: inout Entry, _ why: String) {
        entry.client.closed.append(why)
        entry.origin.ledger.fail("\(entry.field): closed. \(why)")
    }
}
