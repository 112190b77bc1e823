extension Dictionary where Value: Equatable {
    /// The keys whose values differ from those of `old`, or that only one of both has; in no order. Where both share their
    /// storage, or one was made from the other by a few changes, hardly anything is hashed.
    @inlinable
    public func changedKeys(since old: Self) -> [Key] {
        if isSameStorage(as: old) { return [] }
        var changed: [Key] = []
        var (left, right) = (old.startIndex, startIndex)
        var (leftOnly, rightOnly): ([Key], [Key]) = ([], [])
        while left != old.endIndex, right != endIndex {
            let (a, b) = (old[left], self[right])
            if a.key == b.key {
                if a.value != b.value { changed.append(a.key) }
                old.formIndex(after: &left)
                formIndex(after: &right)
            } else {
                // A key more or less moves all that follow by one; look whether that is it.
                let (nextLeft, nextRight) = (old.index(after: left), index(after: right))
                if nextRight != endIndex, self[nextRight].key == a.key {
                    rightOnly.append(b.key)
                    right = nextRight
                } else if nextLeft != old.endIndex, old[nextLeft].key == b.key {
                    leftOnly.append(a.key)
                    left = nextLeft
                } else {
                    leftOnly.append(a.key)
                    rightOnly.append(b.key)
                    (left, right) = (nextLeft, nextRight)
                }
            }
        }
        while left != old.endIndex {
            leftOnly.append(old[left].key)
            old.formIndex(after: &left)
        }
        while right != endIndex {
            rightOnly.append(self[right].key)
            formIndex(after: &right)
        }
        // What stood at another place may be the same all the same.
        for key in rightOnly where old[key] != self[key] { changed.append(key) }
        for key in leftOnly where self[key] == nil { changed.append(key) }
        return changed
    }

    /// Whether both are one value in memory; then they are equal. Not the other way round.
    @inlinable
    public func isSameStorage(as other: Self) -> Bool {
        withUnsafeBytes(of: self) { left in withUnsafeBytes(of: other) { left.elementsEqual($0) } }
    }
}
