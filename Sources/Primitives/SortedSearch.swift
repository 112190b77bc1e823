extension RandomAccessCollection where Index == Int {
    /// By halves, in a collection whose elements before a place come first: the index of the first one that is not before it,
    /// or `endIndex`.
    public func lowerBound(_ isBefore: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
