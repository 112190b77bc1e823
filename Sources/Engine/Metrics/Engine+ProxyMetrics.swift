internal import Observability

extension Engine {
    func writeProxyHeaders(_ listeners: [ListenerState], _ text: inout PrometheusText) {
        text.family(.proxyHeaders) { family in
            for state in listeners {
                for result in ProxyHeaderResult.allCases {
                    let count = state.counters.sum(ListenerField.proxyHeader(result))
                    guard count > 0 else { continue }
                    family.sample(state.labels, LabelSet(["version": result.version, "result": result.label]), count)
                }
            }
        }
    }
}

/// Label pairs `version`, `result` of `sluice_proxy_protocol_headers_total`.
enum ProxyHeaderResult: Int, CaseIterable {
    case proxy1, unknown1, proxy2, unknown2, local2, missing, malformed, timeout, untrusted

    var version: String {
        switch self {
        case .proxy1, .unknown1: "v1"
        case .proxy2, .unknown2, .local2: "v2"
        case .missing, .malformed, .timeout, .untrusted: ""
        }
    }

    var label: String {
        switch self {
        case .proxy1, .proxy2: "proxy"
        case .unknown1, .unknown2: "unknown"
        case .local2: "local"
        case .missing: "missing"
        case .malformed: "malformed"
        case .timeout: "timeout"
        case .untrusted: "untrusted"
        }
    }
}
