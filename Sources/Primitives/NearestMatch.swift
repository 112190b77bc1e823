/// The candidate that a misspelt word most likely means: at most a third of its letters (and at most three) wrong,
/// swapped, missing or too many, upper and lower case alike. Nil when nothing is near.
public func nearestMatch(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased().prefix(64).unicodeScalars)
    let bound = min(3, max(1, letters.count / 3))
    var best: (name: String, distance: Int)?
    for candidate in candidates where candidate.utf8.count <= 256 {
        let distance = editDistance(letters, Array(candidate.lowercased().unicodeScalars))
        guard distance <= bound else { continue }
        if let known = best, (known.distance, known.name) <= (distance, candidate) { continue }
        best = (candidate, distance)
    }
    return best?.name
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, letter) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
            if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforeLast, last) = (last, current)
    }
    return last[right.count]
}
