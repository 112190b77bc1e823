// What is known of one object, whatever its kind: facts, conditions, endpoints, and those it is related to.

function factsOf(object) {
    const { model } = server;
    if (object.startsWith("listener ")) return listenerFacts(model.listeners.get(object.slice(9)));
    if (model.gateways.has(object)) return gatewayFacts(model.gateways.get(object));
    if (model.routes.has(object)) return routeFacts(object, model.routes.get(object));
    if (model.backends.has(object)) return backendFacts(object, model.backends.get(object));
    if (model.policies.has(object)) return policyFacts(model.policies.get(object));
    const certificates = model.status.certificates.filter((each) => each.object === object);
    return certificates.length ? certificateFacts(certificates) : null;
}

function gatewayFacts(gateway) {
    return {
        facts: [["Addresses", gateway.addresses.join(", ")], ["Listeners", count(gateway.listeners.length)]],
        conditions: [[null, gateway.conditions]],
        related: [["Listeners", gateway.listeners.map((listener) => `listener ${listenerKey(gateway, listener)}`)]],
    };
}

function listenerFacts(found) {
    if (!found) return null;
    const { key, gateway, listener } = found;
    const traffic = countsOf("listener", key, listener.traffic);
    const rejected = Object.entries(traffic?.rejected ?? {}).sort((one, other) => other[1] - one[1]);
    return {
        facts: [
            ["Gateway", objectLink(gatewayKey(gateway))], ["Port", listener.port], ["Mode", listener.mode],
            ["Host name", listener.hostname], ["Bound", listener.bindings.map(bindingText).join(", ")],
            ["Open", traffic && count(traffic.active)], ["Handshaking", traffic && count(traffic.handshaking)],
            ["Accepted", traffic && count(traffic.accepted)],
            ["Refused", rejected.map(([reason, times]) => `${reason} ${count(times)}`).join(", ")],
        ],
        conditions: [[null, listener.conditions]],
        related: [["Routes", listener.routes]],
    };
}

const bindingText = (binding) => binding.address + (binding.isBound ? "" : `: ${binding.problem ?? "not bound"}`);

function routeFacts(key, route) {
    const traffic = countsOf("route", key, route.traffic);
    const closed = Object.entries(traffic?.closed ?? {}).sort((one, other) => other[1] - one[1]);
    return {
        facts: [
            ["Host names", route.hostnames.join(", ")], ["Open", traffic && count(traffic.active)],
            ["Connections", traffic && count(traffic.opened)],
            ["From clients", traffic && bytes(traffic.requestBytes)], ["To clients", traffic && bytes(traffic.responseBytes)],
            ["Added latency", traffic?.setups ? latency(traffic.setupNanoseconds / traffic.setups) : null],
            ["Ended", closed.map(([reason, times]) => `${reason} ${count(times)}`).join(", ")],
            ["Live", h("a", { href: `#/connections?q=${encodeURIComponent(`route:"${key}"`)}` }, "its connections")],
        ],
        conditions: route.parents.map((parent) => [parent.parent, parent.conditions]),
        related: [
            ["Listeners", (server.model.listenersOfRoute.get(key) ?? []).map((each) => `listener ${each}`)],
            ["Backends", [...new Set(route.backends.map((reference) => reference.backend))]],
        ],
    };
}

function backendFacts(key, backend) {
    const traffic = countsOf("backend", key, backend.traffic);
    const attempts = traffic ? traffic.connected + sum(Object.values(traffic.failed)) : 0;
    return {
        facts: [
            ["Endpoints", `${count(backend.endpoints.filter(isUsable).length)} of ${count(backend.endpoints.length)} usable`],
            ["Health checks", backend.hasHealthChecks ? "yes" : "none"], ["Open", traffic && count(traffic.active)],
            ["Waiting", traffic && count(traffic.pending)],
            ["Connected", traffic && `${count(traffic.connected)} of ${counted(attempts, "attempt")}`],
            ["Failed", traffic && Object.entries(traffic.failed).map(([result, times]) => `${result} ${count(times)}`).join(", ")],
            ["Retries", traffic && count(traffic.retries)],
            ["Connect time", traffic?.connected ? latency(traffic.connectNanoseconds / traffic.connected) : null],
        ],
        conditions: backend.conditions.length ? [[null, backend.conditions]] : [],
        endpoints: backend.endpoints,
        related: [["Routes", server.model.routesOfBackend.get(key) ?? []]],
    };
}

function policyFacts(policy) {
    return {
        facts: [["Targets", policy.targets.join(", ")]],
        conditions: policy.ancestors.map((ancestor) => [ancestor.parent, ancestor.conditions]),
        related: [],
    };
}

function certificateFacts(certificates) {
    return {
        facts: certificates.flatMap((each) => [
            ["Expires", expiry(each)], ["Names", each.names.join(", ")], ["Usage", each.usage.replaceAll("_", " ")],
            ["Used by", each.usedBy.join(", ")],
        ]),
        related: [],
    };
}

// The counts that are asked for while an object is looked at.
function objectKeys(object) {
    if (object.startsWith("listener ")) return [["listener", object.slice(9)]];
    if (server.model?.routes.has(object)) return [["route", object]];
    return server.model?.backends.has(object) ? [["backend", object]] : [];
}

function objectPlots(object) {
    const [found] = objectKeys(object);
    if (!found) return null;
    const [kind, key] = found;
    const data = objectSeries(kind, key);
    const line = (name, values, which) => ({ name, values, class: which });
    const title = kind === "backend" ? "Connects" : "New connections";
    return h("section.plots", { "aria-label": "Live traffic of this object" },
        plot({ key: "object opened", title, data, format: rate, lines: [line("new", data.opened, "one")] }),
        plot({ key: "object active", title: "Open connections", data, format: number, lines: [line("open", data.active, "one")] }),
        kind === "route" && plot({
            key: "object bytes", title: "Throughput", data, format: byteRate, isBinary: true,
            lines: [line("in", data.request, "one"), line("out", data.response, "two")],
        }));
}
