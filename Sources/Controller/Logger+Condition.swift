internal import KubernetesAPI
internal import Observability

extension Logger {
    /// One line for a condition that is new or says something else. Good news about a new object is `debug`, but for
    /// listeners, whose programming is what an operator waits for.
    func logChange(_ item: StatusItem, isNew: Bool) {
        let isListener = if case .listener = item.subject.part { true } else { false }
        let matters = !isNew || (isListener && item.condition.type == .programmed)
        let level: Level = item.condition.isProblem ? .warning : matters ? .info : .debug
        guard isEnabled(level) else { return }
        var logger =
            switch item.subject.part {
            case .whole: with([LogKey.object: LogValue(item.subject.object)])
            case .listener(let name):
                with([LogKey.object: LogValue(item.subject.object), LogKey.listener: LogValue(name)])
            case .parent(let name): with([LogKey.object: LogValue(item.subject.object), "parent": LogValue(name)])
            }
        let condition = item.condition
        logger = logger.with([
            "condition": LogValue(condition.type.rawValue), "status": LogValue(condition.status.rawValue),
            "reason": LogValue(condition.reason.rawValue),
        ])
        logger.log(level, "condition", condition.message.isEmpty ? [:] : ["detail": LogValue(condition.message)])
    }
}
