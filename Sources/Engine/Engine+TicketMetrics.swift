internal import Observability
internal import Platform

extension Engine {
    /// Written while there are listeners that give out tickets, or keys for them.
    func writeTicketKeys(_ text: inout PrometheusText) {
        guard let (age, isShared) = ticketKeys.sealingAge(now: .now()) else { return }
        text.family(
            "sluice_tls_ticket_key_age_seconds", .gauge,
            help: "How long session tickets have been sealed by the same key here, which other replicas may share."
        ) { family in
            let labels = LabelSet(["source": isShared ? "shared" : "process"])
            family.sample(labels, UInt64(max(0, age.wholeMilliseconds / 1000)))
        }
    }
}
