internal import Primitives

/// Entries to objects: groups them by Gateway and port, and leaves out, with a word at its origin, what cannot stand beside
/// what came before it.
struct Assembler {
    /// A listener that is to be written.
    struct Listener {
        var name: String
        var port: Int
        var mode: Entry.Mode
        var hostname: String?
        var certificates: [ObjectName]
        var settings: PortSettings
    }

    struct Gateway {
        var name: ObjectName
        var address: String?
        var listeners: [Listener] = []
        /// Entries, with the names of their listeners.
        var routes: [(entry: Entry, listeners: [String])] = []
        var comments: [String] = []
    }

    private(set) var gateways: [Gateway] = []

    /// What Gateway API takes of listeners in a Gateway, and of names in a route.
    private static let (mostListeners, mostNames) = (64, 16)

    init(_ entries: [Entry], namespace: String) {
        let entries = Assembler.apart(entries)
        var keys: [GatewayKey] = []
        var groups: [GatewayKey: [Entry]] = [:]
        for entry in entries {
            let key = GatewayKey(name: entry.gateway, address: entry.address)
            if groups[key] == nil { keys.append(key) }
            groups[key, default: []].append(entry)
        }
        var names: Set<String> = []
        for key in keys {
            let members = groups[key] ?? []
            let home = Set(members.map(\.route.namespace)).count == 1 ? members[0].route.namespace : namespace
            let wanted = Names.label(key.address.map { "\(key.name)-\($0)" } ?? key.name)
            gateways += Assembler.gateways(members, address: key.address) {
                ObjectName(namespace: home, name: Names.unused(wanted, in: &names))
            }
        }
        gateways.removeAll { $0.listeners.isEmpty }
    }

    private struct GatewayKey: Hashable {
        var name: String
        var address: String?
    }

    /// Entries whose ports no other Gateway has, with as many names each as a route takes.
    private static func apart(_ entries: [Entry]) -> [Entry] {
        var holders: [Int: [GatewayKey]] = [:]
        var result: [Entry] = []
        for entry in entries {
            let key = GatewayKey(name: entry.gateway, address: entry.address)
            let other = holders[entry.port, default: []].first {
                $0 != key && ($0.address == nil || key.address == nil || $0.address == key.address)
            }
            if other != nil {
                entry.origin.ledger.crowdOut(
                    entry.field,
                    "Port \(entry.port) is wanted by another Gateway: convert it on its own, for other addresses.")
                continue
            }
            holders[entry.port, default: []].append(key)
            for start in stride(from: 0, to: max(entry.hostnames.count, 1), by: mostNames) {
                var part = entry
                part.hostnames = Array(entry.hostnames.dropFirst(start).prefix(mostNames))
                result.append(part)
            }
        }
        return result
    }

    private static func gateways(_ entries: [Entry], address: String?, name: () -> ObjectName) -> [Gateway] {
        var gateways = [Gateway(name: name(), address: address)]
        var ports: [Int] = []
        for entry in entries where !ports.contains(entry.port) { ports.append(entry.port) }
        for port in ports {
            var plan = PortPlan(port: port)
            for entry in entries where entry.port == port { plan.add(entry) }
            var gateway = gateways.removeLast()
            let before = gateway
            plan.finish(&gateway)
            if gateway.listeners.count > mostListeners, !before.listeners.isEmpty {
                gateways.append(before)
                gateway = Gateway(name: name(), address: address)
                plan.finish(&gateway)
            }
            gateways.append(gateway)
        }
        for index in gateways.indices {
            for comment in gateways[index].routes.flatMap(\.entry.gatewayComments)
            where !gateways[index].comments.contains(comment) {
                gateways[index].comments.append(comment)
            }
        }
        return gateways
    }
}
