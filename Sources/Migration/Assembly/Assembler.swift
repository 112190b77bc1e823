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

    init(_ entries: [Entry], namespace: String) {
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
            let name = ObjectName(namespace: home, name: Names.unused(wanted, in: &names))
            gateways.append(Assembler.gateway(name, address: key.address, members))
        }
        gateways.removeAll { $0.listeners.isEmpty }
    }

    private struct GatewayKey: Hashable {
        var name: String
        var address: String?
    }

    private static func gateway(_ name: ObjectName, address: String?, _ entries: [Entry]) -> Gateway {
        var gateway = Gateway(name: name, address: address)
        var ports: [Int] = []
        for entry in entries where !ports.contains(entry.port) { ports.append(entry.port) }
        for port in ports {
            var plan = PortPlan(port: port)
            for entry in entries where entry.port == port { plan.add(entry) }
            plan.finish(&gateway)
        }
        for comment in entries.flatMap(\.gatewayComments) where !gateway.comments.contains(comment) {
            gateway.comments.append(comment)
        }
        return gateway
    }
}
