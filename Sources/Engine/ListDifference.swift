/// How a list differs from the one before, by places: what was taken out of the old one, and what was put into the new one. Everything
/// else is the same in both. A pass with one comparison for each that stayed, none where both are one array.
struct ListDifference {
    /// Places in the old list.
    private(set) var removed: [Int] = []
    /// Places in the new list.
    private(set) var added: [Int] = []

    var isEmpty: Bool { removed.isEmpty && added.isEmpty }

    init() {}

    /// `precedes` is the order of both lists; where they do not keep to it, more counts as removed and added than need be.
    init<Element: Equatable>(from old: [Element], to new: [Element], precedes: (Element, Element) -> Bool) {
        let isSame = old.withUnsafeBufferPointer { before in
            new.withUnsafeBufferPointer { $0.baseAddress == before.baseAddress && $0.count == before.count }
        }
        guard !isSame else { return }
        var (left, right) = (0, 0)
        while left < old.count, right < new.count {
            if old[left] == new[right] {
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
        removed += left..<old.count
        added += right..<new.count
    }
}
