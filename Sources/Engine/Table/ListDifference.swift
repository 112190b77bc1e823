internal import EngineModel
internal import Glibc
internal import Primitives

/// How a list differs from the one before, by places: what was taken out of the old one, and what was put into the new one. Everything
/// else is the same in both. A pass with one comparison for each that stayed, none where both are one array.
struct ListDifference: Equatable {
    /// Places in the old list.
    private(set) var removed: [Int] = []
    /// Places in the new list.
    private(set) var added: [Int] = []

    var isEmpty: Bool { removed.isEmpty && added.isEmpty }

    init() {}

    /// `precedes` is the order of both lists; where they do not keep to it, more counts as removed and added than need be.
    /// `areCopies` may say cheaply that two elements are the same; where it says no, they are compared.
    init<Element: Equatable>(
        from old: [Element], to new: [Element],
        areCopies: (UnsafePointer<Element>, UnsafePointer<Element>) -> Bool = { _, _ in false },
        precedes: (Element, Element) -> Bool
    ) {
        old.withUnsafeBufferPointer { before in
            new.withUnsafeBufferPointer { after in
                guard before.baseAddress != after.baseAddress || before.count != after.count else { return }
                compare(before, after, areCopies, precedes)
            }
        }
    }

    /// The same for two lists in the order of `key`, which is unique in each, where it is known at which keys alone they may
    /// differ: looks at nothing else. Nil where that cannot be all.
    init?<Element: Equatable, Key: Comparable & Hashable>(
        from old: [Element], to new: [Element], at keys: Set<Key>, key: (Element) -> Key
    ) {
        for wanted in keys.sorted() {
            let (left, right) = (old.place(of: wanted, key), new.place(of: wanted, key))
            if let left, let right, old[left] == new[right] { continue }
            if let left { removed.append(left) }
            if let right { added.append(right) }
        }
        guard new.count - old.count == added.count - removed.count else { return nil }
        assert(
            self == ListDifference(from: old, to: new, precedes: { key($0) < key($1) }), "more differs than was said")
    }

    private mutating func compare<Element: Equatable>(
        _ old: UnsafeBufferPointer<Element>, _ new: UnsafeBufferPointer<Element>,
        _ areCopies: (UnsafePointer<Element>, UnsafePointer<Element>) -> Bool, _ precedes: (Element, Element) -> Bool
    ) {
        var (left, right) = (0, 0)
        if let first = old.baseAddress, let second = new.baseAddress {
            while left < old.count, right < new.count {
                if areCopies(first + left, second + right) || old[left] == new[right] {
                    (left, right) = (left + 1, right + 1)
                } else if precedes(old[left], new[right]) {
                    removed.append(left)
                    left += 1
                } else if precedes(new[right], old[left]) {
                    added.append(right)
                    right += 1
                } else {
                    removed.append(left)
                    added.append(right)
                    (left, right) = (left + 1, right + 1)
                }
            }
        }
        removed += left..<old.count
        added += right..<new.count
    }
}

/// Whether two lists are copies of one, seen without looking at what they hold.
func isSameStorage<Element>(_ left: [Element], _ right: [Element]) -> Bool {
    left.count == right.count
        && left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { left.baseAddress == $0.baseAddress }
        }
}

extension Array {
    /// Where the element with a key is; the list is in the order of the key.
    fileprivate func place<Key: Comparable>(of wanted: Key, _ key: (Element) -> Key) -> Int? {
        let index = lowerBound { key($0) < wanted }
        return index < count && key(self[index]) == wanted ? index : nil
    }
}

extension TLSListener.HostnameRoute {
    private static let routeOffset = MemoryLayout<Self>.offset(of: \.route)
    private static let settingsOffset = MemoryLayout<Self>.offset(of: \.route.settings)
    private static let limitsOffset = MemoryLayout<Self>.offset(of: \.route.limits)

    /// Whether both are copies of one value, which share all that they refer to: seen by their words, without counting references
    /// as taking an element out of its list does. False says nothing. Name and route, up to its settings, and the list of its limits are
    /// words without gaps.
    static func areCopies(_ left: UnsafePointer<Self>, _ right: UnsafePointer<Self>) -> Bool {
        guard let route = routeOffset, let settings = settingsOffset, let limits = limitsOffset else { return false }
        let (one, other) = (UnsafeRawPointer(left), UnsafeRawPointer(right))
        return memcmp(one, other, MemoryLayout<HostnamePattern>.size) == 0
            && memcmp(one + route, other + route, settings - route) == 0
            && memcmp(one + limits, other + limits, MemoryLayout<[ClientLimits]>.size) == 0
            && one.load(fromByteOffset: settings, as: RouteSettings.self)
                == other.load(fromByteOffset: settings, as: RouteSettings.self)
    }
}
