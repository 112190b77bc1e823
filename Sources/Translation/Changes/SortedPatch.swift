internal import Primitives

extension Array where Element: Equatable {
    /// Puts elements into an array that is sorted by a unique key, or takes them out (nil). `changes` are sorted by it too.
    /// Where nothing differs the array keeps its storage. Whether anything did.
    mutating func patch<Key: Comparable>(
        _ changes: [(key: Key, element: Element?)], by key: (Element) -> Key
    ) -> Bool {
        var moves: [(index: Int, isThere: Bool, element: Element?)] = []
        for change in changes {
            let index = lowerBound { key($0) < change.key }
            let isThere = index < count && key(self[index]) == change.key
            guard isThere ? self[index] != change.element : change.element != nil else { continue }
            moves.append((index, isThere, change.element))
        }
        if moves.allSatisfy({ $0.isThere && $0.element != nil }) {
            for (index, _, element) in moves { if let element { self[index] = element } }
            return !moves.isEmpty
        }
        var patched: [Element] = []
        patched.reserveCapacity(count + moves.count)
        var next = startIndex
        for (index, isThere, element) in moves {
            patched += self[next..<index]
            if let element { patched.append(element) }
            next = isThere ? index + 1 : index
        }
        patched += self[next...]
        self = patched
        return true
    }
}
