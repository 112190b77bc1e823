/// The candidate with the smallest edit distance to `word`; nil where none is near enough to be a misspelling of it.
func nearest(to word: String, among candidates: [String]) -> String? {
    let lowered = word.lowercased()
    let ranked = candidates.map { (candidate: $0, distance: editDistance(lowered, $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    if best.distance <= max(1, word.count / 3) { return best.candidate }
    return candidates.first { lowered.count >= 3 && $0.lowercased().hasPrefix(lowered) }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
func editDistance(_ left: String, _ right: String) -> Int {
    let (a, b) = (Array(left), Array(right))
    var previous = [Int](repeating: 0, count: b.count + 1)
    var current = Array(0...b.count)
    for i in a.indices {
        var next = [i + 1]
        for j in b.indices {
            var cost = min(current[j + 1] + 1, next[j] + 1, current[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, previous[j - 1] + 1) }
            next.append(cost)
        }
        (previous, current) = (current, next)
    }
    return current[b.count]
}
