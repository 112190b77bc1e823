internal import Observability
internal import Platform

extension Engine {
    /// Written while there are listeners that give out tickets, or keys for them.
    func writeTicketKeys(_ text: inout PrometheusText) {
        guard let (age, isShared) = ticketKeys.sealingAge(now: .now()) else { return }
        text.family(.ticketKeyAge) { family in
            let labels = LabelSet(["source": isShared ? "shared" : "process"])
            family.sample(labels, UInt64(max(0, age.wholeMilliseconds / 1000)))
        }
    }
}
