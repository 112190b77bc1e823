/// What is looked at.
enum TopView: Int, CaseIterable, Hashable, Sendable {
    case listeners
    case routes
    case backends
    case connections

    var title: String {
        switch self {
        case .listeners: "Listeners"
        case .routes: "Routes"
        case .backends: "Backends"
        case .connections: "Connections"
        }
    }

    static func named(_ name: String) -> TopView? { allCases.first { $0.title.lowercased() == name } }
}

/// What the keys have made of it: which view, in which order, from which row. Values only.
struct TopState: Hashable, Sendable {
    enum Action: Hashable, Sendable { case none, redraw, quit }

    /// Of one view.
    struct Order: Hashable, Sendable {
        var column: Int
        var isReversed = false
    }

    var view: TopView
    private(set) var filter = ""
    private(set) var isTyping = false
    /// The first row that is shown.
    var offset = 0
    private var orders: [TopView: Order] = [:]

    init(view: TopView = .routes) { self.view = view }

    /// Of the view that is shown; at first by the column that says how much is going on.
    func order(_ columns: [TopTable.Column]) -> Order {
        orders[view] ?? Order(column: columns.firstIndex { $0.title == "ACTIVE" || $0.title == "AGE" } ?? 0)
    }

    /// `page`: as many rows as are shown. `columns`: of the view's table.
    mutating func press(_ key: TopKey, page: Int, columns: [TopTable.Column]) -> Action {
        if key == .interrupt { return .quit }
        if isTyping { return type(key) }
        switch key {
        case .character("q"), .character("Q"): return .quit
        case .character(let character) where "1"..."4" ~= character:
            character.wholeNumberValue.map { show($0 - 1) }
        case .right, .tab: show((view.rawValue + 1) % TopView.allCases.count)
        case .left: show((view.rawValue + TopView.allCases.count - 1) % TopView.allCases.count)
        case .character("s"): orders[view] = Order(column: (order(columns).column + 1) % max(1, columns.count))
        case .character("S"):
            orders[view] = Order(column: (order(columns).column + max(1, columns.count) - 1) % max(1, columns.count))
        case .character("r"):
            let now = order(columns)
            orders[view] = Order(column: now.column, isReversed: !now.isReversed)
        case .character("/"): isTyping = true
        case .escape: filter = ""
        default: return scroll(key, page)
        }
        return .redraw
    }

    private mutating func show(_ index: Int) {
        guard let next = TopView(rawValue: index), next != view else { return }
        (view, offset) = (next, 0)
    }

    private mutating func scroll(_ key: TopKey, _ page: Int) -> Action {
        switch key {
        case .up, .character("k"): offset = max(0, offset - 1)
        case .down, .character("j"): offset += 1
        case .pageUp: offset = max(0, offset - max(1, page))
        case .pageDown, .character(" "): offset += max(1, page)
        case .home, .character("g"): offset = 0
        // As far as there are rows: the screen cuts it.
        case .end, .character("G"): offset = .max / 2
        default: return .none
        }
        return .redraw
    }

    private mutating func type(_ key: TopKey) -> Action {
        switch key {
        case .enter: isTyping = false
        case .escape: (isTyping, filter) = (false, "")
        case .backspace: _ = filter.popLast()
        case .character(let character): filter.append(character)
        default: return .none
        }
        offset = 0
        return .redraw
    }
}
