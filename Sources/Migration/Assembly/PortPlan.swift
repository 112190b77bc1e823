/// The entries of one port, and how they share it.
struct PortPlan {
    let port: Int
    private var entries: [Entry] = []
    /// Host names that are taken; an empty text for those without one.
    private var names: Set<String> = []

    init(port: Int) { self.port = port }

    /// Takes the entry in, or says at its origin why it is left out.
    mutating func add(_ entry: Entry) {
        if let problem = conflict(with: entry) {
            entry.origin.ledger.crowdOut(entry.field, problem)
            return
        }
        var entry = entry
        let wanted = entry.hostnames.isEmpty ? [""] : entry.hostnames
        let free = wanted.filter { !names.contains($0) }
        if free.isEmpty {
            entry.origin.ledger.crowdOut(entry.field, taken(wanted, entry))
            return
        }
        if free.count < wanted.count {
            let lost = wanted.filter { names.contains($0) }
            entry.origin.ledger.fail(
                "\(entry.field): not served for \(lost.joined(separator: ", ")). \(taken(lost, entry))")
            entry.hostnames = free
        }
        names.formUnion(free)
        entries.append(entry)
    }

    private func taken(_ names: [String], _ entry: Entry) -> String {
        names == [""]
            ? "Another route of port \(port) takes all connections that no host name takes, and of two such routes one serves."
            : "Another route of port \(port) has \(names.count == 1 ? "that name" : "those names") already."
    }

    private func conflict(with entry: Entry) -> String? {
        guard let first = entries.first else { return nil }
        if (first.mode == .plain) != (entry.mode == .plain) {
            return
                "Port \(port) is served \(first.mode == .plain ? "without TLS" : "with TLS") for \(first.route), and a port"
                + " has one or the other: give one of the two a port of its own."
        }
        if first.portSettings.proxy != entry.portSettings.proxy {
            return "Another route of port \(port) expects other headers of the PROXY protocol."
        }
        let demands = entries.first { !$0.portSettings.clientAuthorities.isEmpty }?.portSettings.clientAuthorities
        let mine = entry.portSettings.clientAuthorities
        if let demands, !mine.isEmpty, demands != mine {
            return
                "Client certificates are demanded by port, and port \(port) takes those of other authorities: give it a port"
                + " of its own."
        }
        return nil
    }

    /// Writes the listeners and how routes attach to them.
    func finish(_ gateway: inout Assembler.Gateway) {
        guard let first = entries.first else { return }
        demandCertificates(&gateway)
        if Set(entries.map(\.mode)).count == 1, Set(entries.map(\.portSettings)).count == 1 {
            let certificates = entries.reduce(into: [ObjectName]()) { all, entry in
                all += entry.certificates.filter { !all.contains($0) }
            }
            let name = unused(first.listener, gateway)
            gateway.listeners.append(
                .init(
                    name: name, port: port, mode: first.mode, hostname: nil, certificates: certificates,
                    settings: first.portSettings))
            for entry in entries { gateway.routes.append((entry, [name])) }
            return
        }
        // TLS is ended for some names, or by other rules: then each name has a listener of its own.
        for entry in entries {
            var attached: [String] = []
            for hostname in entry.hostnames.isEmpty ? [nil] : entry.hostnames.map(Optional.some) {
                let wanted = hostname.map { "\(entry.listener)-\($0.replacing("*.", with: "any-"))" } ?? entry.listener
                let name = unused(Names.label(wanted), gateway)
                gateway.listeners.append(
                    .init(
                        name: name, port: port, mode: entry.mode, hostname: hostname, certificates: entry.certificates,
                        settings: entry.portSettings))
                attached.append(name)
            }
            gateway.routes.append((entry, attached))
        }
    }

    private func unused(_ name: String, _ gateway: Assembler.Gateway) -> String {
        var taken = Set(gateway.listeners.map(\.name))
        return Names.unused(name, in: &taken)
    }

    private func demandCertificates(_ gateway: inout Assembler.Gateway) {
        let terminated = entries.filter { $0.mode == .terminate }
        let open = terminated.filter { $0.portSettings.clientAuthorities.isEmpty }
        guard open.count < terminated.count, !open.isEmpty else { return }
        gateway.comments.append(
            "Port \(port) demands client certificates of everyone, also for "
                + open.map { "\($0.route)" }.joined(separator: ", ")
                + ", which did not: Gateway API demands them by port. Give those routes a port of their own.")
    }
}
