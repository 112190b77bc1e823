/// Puts remarks and failures beside what was written, and all together.
struct Report {
    private(set) var conversion: Conversion

    init(writer: DocumentWriter, reading: InputReading, inputs: [String]) {
        var documents = writer.documents
        var rest: [String] = []
        for object in reading.all {
            for (field, why) in object.ledger.crowdedOut
            where !writer.anchors.contains(where: { $0.ledger === object.ledger && $0.field == field }) {
                object.field(at: field).leaveOut(why)
            }
            let places = writer.anchors.filter { $0.ledger === object.ledger }
            for remark in object.ledger.remarks {
                guard let place = Report.place(of: remark, among: places) else { continue }
                documents[place].comments += remark.lines.enumerated().map {
                    ($0.offset == 0 ? "- " : "  ") + $0.element
                }
            }
            let left = places.isEmpty ? object.ledger.remarks : []
            guard !left.isEmpty || !object.ledger.failures.isEmpty else { continue }
            rest.append(object.title + (object.ledger.failures.isEmpty ? ":" : ": not wholly converted."))
            rest += object.ledger.failures.map { "! " + $0 }
            rest += left.flatMap { $0.lines.enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element } }
        }
        for stranger in reading.strangers {
            rest.append("\(stranger.title): not converted, since no format has this kind.")
        }

        let head = "Written by sluice convert from \(inputs.joined(separator: ", "))."
        var text = TreeText([OutputDocument(comments: [head, "What has no equivalent stands in comments."])]).text
        let body = TreeText(documents).text
        if !body.isEmpty { text += "\n" + body }
        if !rest.isEmpty { text += "\n" + TreeText([OutputDocument(comments: rest)]).text }

        let failures = reading.all.flatMap { object in object.ledger.failures.map { "\(object.title): \($0)" } }
        conversion = Conversion(
            text: text, converted: reading.all.filter { $0.ledger.failures.isEmpty }.count,
            withoutEquivalent: reading.all.reduce(0) { $0 + $1.ledger.remarks.count },
            failures: failures + reading.strangers.map { "\($0.title): no format has this kind" },
            problems: reading.problems)
    }

    /// The document made of the part that the field belongs to, else the first one made of the object.
    private static func place(of remark: Remark, among places: [DocumentWriter.Anchor]) -> Int? {
        let nearest = places.filter { remark.field == $0.field || remark.field.hasPrefix($0.field + ".") }
        return (nearest.first ?? places.first)?.document
    }
}
