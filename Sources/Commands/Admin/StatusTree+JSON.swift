internal import Inspection

extension StatusTree {
    /// As JSONEncoder would write it, with sorted keys: a gateway of thousands of routes is asked for it again and again.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("appliedAt", appliedAt)
            writer.field("backends", backends) { $1.write(to: &$0) }
            writer.field("certificates", certificates) { $1.write(to: &$0) }
            writer.field("gateways", gateways) { $1.write(to: &$0) }
            writer.field("generation", generation)
            writer.field("isLeader", isLeader)
            writer.field("policies", policies) { $1.write(to: &$0) }
            writer.field("routes", routes) { $1.write(to: &$0) }
            writer.field("source", source)
            writer.field("sourceDetail", sourceDetail)
            writer.field("startedAt", startedAt)
            writer.field("time", time)
            writer.field("version", version)
            writer.field("warnings", warnings)
        }
        return writer.bytes
    }
}

extension ConditionNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("isProblem", isProblem)
        writer.field("message", message)
        writer.field("reason", reason)
        writer.field("since", since)
        writer.field("status", status)
        writer.field("type", type)
    }
}

extension GatewayNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("addresses", addresses)
        writer.field("conditions", conditions) { $1.write(to: &$0) }
        writer.field("listeners", listeners) { $1.write(to: &$0) }
        writer.field("name", name)
        writer.field("namespace", namespace)
    }
}

extension ListenerNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("bindings", bindings) { writer, binding in
            writer.field("address", binding.address)
            writer.field("isBound", binding.isBound)
            writer.field("problem", binding.problem)
        }
        writer.field("conditions", conditions) { $1.write(to: &$0) }
        writer.field("hostname", hostname)
        writer.field("mode", mode)
        writer.field("name", name)
        writer.field("port", port)
        writer.field("routes", routes)
        writer.field("traffic", traffic) { writer, traffic in
            writer.field("accepted", traffic.accepted)
            writer.field("active", traffic.active)
            writer.field("handshaking", traffic.handshaking)
            writer.field("rejected", traffic.rejected)
        }
    }
}

extension RouteNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("backends", backends) { writer, backend in
            writer.field("backend", backend.backend)
            writer.field("isFallback", backend.isFallback)
            writer.field("isResolved", backend.isResolved)
            writer.field("rule", backend.rule)
            writer.field("weight", backend.weight)
        }
        writer.field("hostnames", hostnames)
        writer.field("kind", kind)
        writer.field("name", name)
        writer.field("namespace", namespace)
        writer.field("parents", parents) { $1.write(to: &$0) }
        writer.field("traffic", traffic) { writer, traffic in
            writer.field("active", traffic.active)
            writer.field("closed", traffic.closed)
            writer.field("opened", traffic.opened)
            writer.field("requestBytes", traffic.requestBytes)
            writer.field("responseBytes", traffic.responseBytes)
            writer.field("setupNanoseconds", traffic.setupNanoseconds)
            writer.field("setups", traffic.setups)
        }
    }
}

extension RouteParentNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("conditions", conditions) { $1.write(to: &$0) }
        writer.field("parent", parent)
    }
}

extension BackendNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("conditions", conditions) { $1.write(to: &$0) }
        writer.field("endpoints", endpoints) { writer, endpoint in
            writer.field("address", endpoint.address)
            writer.field("checkedAt", endpoint.checkedAt)
            writer.field("failure", endpoint.failure)
            writer.field("state", endpoint.state)
            writer.field("zone", endpoint.zone)
        }
        writer.field("hasHealthChecks", hasHealthChecks)
        writer.field("kind", kind)
        writer.field("name", name)
        writer.field("namespace", namespace)
        writer.field("port", port)
        writer.field("traffic", traffic) { writer, traffic in
            writer.field("active", traffic.active)
            writer.field("connectNanoseconds", traffic.connectNanoseconds)
            writer.field("connected", traffic.connected)
            writer.field("failed", traffic.failed)
            writer.field("pending", traffic.pending)
            writer.field("retries", traffic.retries)
        }
    }
}

extension PolicyNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("ancestors", ancestors) { $1.write(to: &$0) }
        writer.field("kind", kind)
        writer.field("name", name)
        writer.field("namespace", namespace)
        writer.field("targets", targets)
    }
}

extension CertificateNode {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("names", names)
        writer.field("notAfter", notAfter)
        writer.field("object", object)
        writer.field("usage", usage)
        writer.field("usedBy", usedBy)
    }
}
