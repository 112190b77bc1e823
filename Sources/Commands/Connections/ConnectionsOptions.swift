/// What `sluice connections` was asked to do.
public struct ConnectionsOptions: Sendable {
    public var remote: RemoteOptions
    /// End those that fit, rather than list them.
    public var closes: Bool
    /// The query, as the admin address takes it.
    var parameters: [(name: String, value: String)]
}

enum ConnectionsFlags {
    static let filters = ConnectionFilter.fields.map { field in
        Flag<String?>(
            field.flagName, field.placeholder, help: field.help, allowed: field.allowed, absent: nil,
            environment: "SLUICE_CONNECTIONS_" + FlagDescription.twin(of: field.flagName).dropFirst(7),
            parse: { field.parse($0) == nil ? nil : .some($0) })
    }
    static let sort = Flag<String?>(
        "sort", "FIELD", help: "List the greatest of a field first: \(ConnectionOrder.keys.joined(separator: ", ")).",
        allowed: ConnectionOrder.keys.joined(separator: ", "), choices: ConnectionOrder.keys, absent: nil,
        fallback: "age", environment: "SLUICE_CONNECTIONS_SORT",
        parse: { ConnectionOrder.keys.contains($0) ? .some($0) : nil })
    static let order = Flag<String?>(
        "order", "ascending|descending", help: "Which end of --sort comes first.", allowed: "ascending, descending",
        choices: ["ascending", "descending"], absent: nil, fallback: "descending",
        environment: "SLUICE_CONNECTIONS_ORDER",
        parse: { ["ascending", "descending"].contains($0) ? .some($0) : nil })
    static let limit = Flag<Int?>.integer(
        "limit", in: ConnectionOrder.limits, help: "How many to list.", fallback: "\(ConnectionOrder.defaultLimit)")
    static let all = Flag<Bool>.toggle("all", help: "With close: every connection, where there is no filter.")

    static let listing = [sort.description, order.description, limit.description]
}

extension CommandDescription {
    static let connections = CommandDescription(
        name: "connections", summary: "List or close the open connections of a running gateway",
        details: """
            Asks the admin address of a running gateway who is connected, and where it stands: state, age, bytes and rates each
            way, from whom to which endpoint. With close, ends the connections that fit the filters; both sides see a clean
            end, and logs and metrics say admin_closed. Filters are flags or FIELD=VALUE, with the field's name as docs/admin.md
            has it; a field that is given twice admits either value.
            """,
        examples: [
            ("what moves most, every two seconds", "sluice connections --sort rate -w"),
            ("who uses a route, from one network", "sluice connections route=infra/redis client=10.0.0.0/8"),
            (
                "what waits for room or is still shaking hands",
                "sluice connections state=queued state=handshaking -o wide"
            ),
            ("in a cluster", "sluice connections --pod sluice-system/sluice-7c9f -o json"),
            ("end what has been idle at one endpoint", "sluice connections close endpoint=10.2.0.7:6379 idle=1h"),
        ],
        flags: ConnectionsFlags.filters.map(\.description) + ConnectionsFlags.listing + [
            ConnectionsFlags.all.description
        ]
            + RemoteFlags.all,
        operands: Operands(placeholder: "list|close|FIELD=VALUE", isRequired: false, limit: 64))
}

extension ConnectionsOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        remote = try RemoteOptions(arguments, command: "connections")
        var operands = arguments.operands[...]
        closes = operands.first == "close"
        if closes || operands.first == "list" { operands.removeFirst() }
        parameters = try ConnectionsOptions.filters(operands)
        for (field, flag) in zip(ConnectionFilter.fields, ConnectionsFlags.filters) {
            if let value = arguments.value(flag) { parameters.append((field.name, value)) }
        }
        let wantsAll = arguments.value(ConnectionsFlags.all)
        if closes {
            try checkClosing(arguments, wantsAll)
            if wantsAll { parameters = [("all", "true")] }
            return
        }
        guard !wantsAll else {
            throw UsageError("sluice connections: --all goes with close; a list has every connection")
        }
        if let sort = arguments.value(ConnectionsFlags.sort) { parameters.append(("sort", sort)) }
        if let order = arguments.value(ConnectionsFlags.order) { parameters.append(("order", order)) }
        if let limit = arguments.value(ConnectionsFlags.limit) { parameters.append(("limit", "\(limit)")) }
    }

    private static func filters(_ operands: ArraySlice<String>) throws(UsageError) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        var filter = ConnectionFilter()
        for operand in operands {
            guard let equals = operand.firstIndex(of: "=") else {
                throw UsageError(
                    "sluice connections: unexpected argument '\(operand)' (allowed: list or close as the first, FIELD=VALUE)"
                )
            }
            let (name, value) = (String(operand[..<equals]), String(operand[operand.index(after: equals)...]))
            do throws(ConnectionFilter.Problem) { try filter.add(name, value) } catch {
                throw UsageError("sluice connections: \(error.message)")
            }
            parameters.append((name, value))
        }
        return parameters
    }

    private func checkClosing(_ arguments: ParsedArguments, _ wantsAll: Bool) throws(UsageError) {
        guard wantsAll == parameters.isEmpty else {
            throw UsageError(
                wantsAll
                    ? "sluice connections close: --all closes every connection and goes with no filter"
                    : "sluice connections close: say which by at least one filter, or --all for every connection")
        }
        guard !remote.watches else { throw UsageError("sluice connections close: --watch means nothing here") }
        if let flag = ConnectionsFlags.listing.first(where: { arguments.given.contains($0.name) }) {
            throw UsageError("sluice connections close: --\(flag.name) means nothing here: all that fit are closed")
        }
    }
}
