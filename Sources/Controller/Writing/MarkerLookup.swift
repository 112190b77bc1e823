internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// Finds the ConfigMap that owns what the installation makes. Without one the Services stand by themselves, and are to be
/// removed by hand or by `sluice retire`. It is looked at now and then: one that was replaced has another uid, and what
/// names the old one is collected again and again.
struct MarkerLookup {
    /// Between two looks at one that is there.
    private static let lookInterval = Duration.seconds(30)

    private let name: String?
    private var backOff: BackOff
    private var failures = 0
    private var isInFlight = false
    private var nextLook: MonotonicTime?
    /// nil: not known yet. `.some(nil)`: there is none.
    private(set) var owner: OwnerMarker??
    private(set) var error: APIError?

    init(name: String?, seed: UInt64) {
        self.name = name
        backOff = BackOff(seed: seed)
        if name == nil { owner = .some(nil) }
    }

    var description: String { name ?? "" }

    /// Whether to ask for it now.
    mutating func next(now: MonotonicTime) -> Bool {
        guard name != nil, !isInFlight, nextLook.map({ $0 <= now }) ?? true else { return false }
        isInFlight = true
        return true
    }

    var wakeTime: MonotonicTime? { isInFlight ? nil : nextLook }

    private var isKnown: Bool { owner?.flatMap { $0 } != nil }

    mutating func receive(_ answer: Result<APIResponse, APIError>, now: MonotonicTime) {
        isInFlight = false
        switch answer {
        case .success(let response):
            let uid = JSONValue(bytes: response.body)?["metadata"]?["uid"]?.text
            guard let uid, let name else { return retry(now) }
            (owner, error, failures) = (.some(OwnerMarker(name: name, uid: uid)), nil, 0)
            nextLook = now + MarkerLookup.lookInterval
        // One that is known goes with the installation, or comes again: until then what is made goes with it.
        case .failure where isKnown: nextLook = now + MarkerLookup.lookInterval
        // Absent, or not to be read by us: we go on without, and look again now and then.
        case .failure(let error) where error.code == 404 || error.code == 403:
            (owner, self.error, nextLook) = (.some(nil), error, now + .seconds(300))
        case .failure(let error):
            self.error = error
            retry(now)
        }
    }

    private mutating func retry(_ now: MonotonicTime) {
        failures += 1
        nextLook = now + backOff.wait(failures)
    }
}
