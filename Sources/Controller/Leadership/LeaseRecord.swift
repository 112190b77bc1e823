internal import KubernetesAPI

/// The part of a Lease (coordination.k8s.io/v1) that an election reads and writes.
struct LeaseRecord: Hashable, Sendable {
    /// Empty: nobody, it was given back.
    var holder: String
    var durationSeconds: Int64
    /// MicroTime as it came; never compared with a clock of ours.
    var acquireTime: String
    var renewTime: String
    var transitions: Int64
}

/// A Lease as the API server has it.
struct ObservedLease: Hashable, Sendable {
    var record: LeaseRecord
    /// The whole object, so that what others put on it is kept.
    var object: JSONValue

    init(record: LeaseRecord, object: JSONValue) { (self.record, self.object) = (record, object) }

    /// Reads a Lease; fields that are missing count as a lease that nobody holds.
    init(_ object: JSONValue) {
        let spec = object["spec"]
        self.object = object
        record = LeaseRecord(
            holder: spec?["holderIdentity"]?.text ?? "",
            durationSeconds: spec?["leaseDurationSeconds"]?.integer ?? 0,
            acquireTime: spec?["acquireTime"]?.text ?? "", renewTime: spec?["renewTime"]?.text ?? "",
            transitions: spec?["leaseTransitions"]?.integer ?? 0)
    }

    /// The object with another record: metadata, and with it resourceVersion, stay.
    func with(_ record: LeaseRecord) -> JSONValue {
        var fields = object.fields ?? [:]
        var spec = object["spec"]?.fields ?? [:]
        for (name, value) in record.spec { spec[name] = value }
        fields["spec"] = .object(spec)
        return .object(fields)
    }
}

extension LeaseRecord {
    var spec: [String: JSONValue] {
        [
            "holderIdentity": .string(holder), "leaseDurationSeconds": .integer(durationSeconds),
            "acquireTime": .string(acquireTime), "renewTime": .string(renewTime),
            "leaseTransitions": .integer(transitions),
        ]
    }
}
