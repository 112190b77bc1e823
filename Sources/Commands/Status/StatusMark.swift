internal import Inspection

/// How an object stands, at a glance.
enum StatusMark: Int, Comparable, CaseIterable {
    case good, warning, bad

    static func < (left: StatusMark, right: StatusMark) -> Bool { left.rawValue < right.rawValue }

    func text(colours: Bool) -> String {
        let (sign, colour) =
            switch self {
            case .good: ("✓", "32")
            case .warning: ("!", "33")
            case .bad: ("✗", "31")
            }
        return colours ? "\u{1b}[\(colour)m\(sign)\u{1b}[0m" : sign
    }
}

extension [ConditionNode] {
    /// What is not accepted or not programmed serves nothing; whatever else is wrong deserves attention.
    var mark: StatusMark {
        let problems = filter(\.isProblem)
        if problems.contains(where: { ["Accepted", "Programmed", "Conflicted"].contains($0.type) }) { return .bad }
        return problems.isEmpty ? .good : .warning
    }

    /// Each problem as one line.
    var problems: [String] {
        filter(\.isProblem).map { condition in
            let text = "\(condition.type)=\(condition.status) \(condition.reason)"
            return condition.message.isEmpty ? text : "\(text): \(condition.message)"
        }
    }
}

extension ListenerNode {
    var mark: StatusMark {
        let isUnbound = bindings.contains { $0.problem != nil }
        let isNowhere = isUnbound && !bindings.contains(where: \.isBound)
        return max(conditions.mark, isNowhere ? .bad : isUnbound ? .warning : .good)
    }

    /// What a condition says already is not said again.
    var problems: [String] {
        let said = conditions.problems
        let unbound = bindings.compactMap { binding in binding.problem.map { "not bound at \(binding.address): \($0)" }
        }
        return said + (said.contains { $0.hasPrefix("Programmed") } ? [] : unbound)
    }
}

extension RouteParentNode {
    /// A parent that says nothing is none of ours.
    var mark: StatusMark { conditions.isEmpty ? .warning : conditions.mark }
}

extension EndpointNode {
    var mark: StatusMark {
        switch state {
        case "unhealthy", "ejected": .bad
        case "unchecked": .warning
        default: .good
        }
    }
}

extension BackendNode {
    var mark: StatusMark {
        if conditions.mark == .bad || endpoints.isEmpty { return .bad }
        let worst = endpoints.map(\.mark)
        if worst.allSatisfy({ $0 == .bad }) { return .bad }
        return max(conditions.mark, worst.contains { $0 != .good } ? .warning : .good)
    }

    /// `2 of 3 healthy`, or how many there are where nothing checks them.
    var summary: String {
        if endpoints.isEmpty { return "no endpoints" }
        let number = endpoints.count == 1 ? "1 endpoint" : "\(endpoints.count) endpoints"
        let good = endpoints.count { $0.mark == .good }
        guard hasHealthChecks || good < endpoints.count else { return number }
        return "\(good) of \(endpoints.count) healthy"
    }

    var key: String {
        port == 0 ? "\(kind) \(namespace)/\(name)" : "\(kind) \(namespace)/\(name):\(port)"
    }
}

extension RouteNode {
    var key: String { "\(kind) \(namespace)/\(name)" }
}

extension PolicyNode {
    /// A policy without an ancestor holds for nothing.
    var mark: StatusMark { ancestors.isEmpty ? .warning : ancestors.map(\.conditions.mark).max() ?? .good }
}
