// What /status says, looked at from all sides: objects by key, what is wrong, who refers to whom.

const levels = { good: 0, warning: 1, bad: 2 };
const worse = (one, other) => (levels[one] >= levels[other] ? one : other);
const certificateWarning = 14 * 86400;
const certificateAlarm = 2 * 86400;

const gatewayKey = (gateway) => `Gateway ${gateway.namespace}/${gateway.name}`;
const listenerKey = (gateway, listener) => `${gateway.namespace}/${gateway.name}/${listener.name}`;
const routeKey = (route) => `${route.kind} ${route.namespace}/${route.name}`;
const policyKey = (policy) => `${policy.kind} ${policy.namespace}/${policy.name}`;

function backendKey(backend) {
    return `${backend.kind} ${backend.namespace}/${backend.name}${backend.port ? `:${backend.port}` : ""}`;
}

const isUsable = (endpoint) => endpoint.state !== "unhealthy" && endpoint.state !== "ejected";

class Model {
    constructor(status) {
        this.status = status;
        this.gateways = new Map(status.gateways.map((gateway) => [gatewayKey(gateway), gateway]));
        this.listeners = new Map();
        this.routes = new Map(status.routes.map((route) => [routeKey(route), route]));
        this.backends = new Map(status.backends.map((backend) => [backendKey(backend), backend]));
        this.policies = new Map(status.policies.map((policy) => [policyKey(policy), policy]));
        this.routesOfBackend = new Map();
        this.listenersOfRoute = new Map();
        // Backends that a route may send connections to.
        this.used = new Set();
        this.problems = [];
        this.levels = new Map();
        this.words = new Map();
        this.index();
        this.judge();
    }

    index() {
        for (const gateway of this.status.gateways) {
            for (const listener of gateway.listeners) {
                const key = listenerKey(gateway, listener);
                this.listeners.set(key, { key, gateway, listener });
                for (const route of listener.routes) add(this.listenersOfRoute, route, key);
            }
        }
        for (const [key, route] of this.routes) {
            for (const reference of route.backends) {
                add(this.routesOfBackend, reference.backend, key);
                if (reference.isResolved) this.used.add(reference.backend);
            }
            const names = [key, ...route.hostnames, ...route.backends.map((reference) => reference.backend)];
            this.words.set(key, names.join(" ").toLowerCase());
        }
        this.unattached = [...this.routes.keys()].filter((key) => !this.listenersOfRoute.has(key));
    }

    // Finds what is wrong, the worst first, and how each object stands.
    judge() {
        for (const [key, backend] of this.backends) this.judgeBackend(key, backend);
        for (const [key, route] of this.routes) this.judgeRoute(key, route);
        for (const [key, policy] of this.policies) {
            for (const ancestor of policy.ancestors) this.judgeConditions(key, ancestor.conditions, ancestor.parent);
        }
        for (const { key, gateway, listener } of this.listeners.values()) this.judgeListener(key, gateway, listener);
        for (const [key, gateway] of this.gateways) {
            this.judgeConditions(key, gateway.conditions);
            for (const listener of gateway.listeners) this.inherit(key, `listener ${listenerKey(gateway, listener)}`);
        }
        for (const certificate of this.status.certificates) this.judgeCertificate(certificate);
        this.problems.sort((one, other) => levels[other.level] - levels[one.level]);
    }

    judgeConditions(key, conditions, place) {
        for (const condition of conditions.filter((each) => each.isProblem)) {
            this.report(key, "bad", condition.reason, condition.message, { place, type: condition.type });
        }
    }

    judgeListener(key, gateway, listener) {
        const object = `listener ${key}`;
        const unbound = listener.bindings.filter((binding) => !binding.isBound);
        const conditions = listener.conditions.filter((each) => !(each.type === "Programmed" && unbound.length));
        this.judgeConditions(object, conditions, `port ${listener.port}`);
        for (const binding of unbound) {
            const message = binding.problem ?? `${binding.address} is not bound`;
            this.report(object, "bad", "NotBound", message, { place: `port ${listener.port}` });
        }
        for (const route of listener.routes) this.inherit(object, route);
    }

    judgeRoute(key, route) {
        for (const parent of route.parents) this.judgeConditions(key, parent.conditions, parent.parent);
        for (const reference of route.backends) {
            if (!reference.isResolved && !this.levels.has(key)) {
                this.report(key, "bad", "NotResolved", `${reference.backend} cannot be resolved; its share is refused.`);
            }
            this.inherit(key, reference.backend);
        }
    }

    judgeBackend(key, backend) {
        this.judgeConditions(key, backend.conditions);
        if (!backend.endpoints.length) {
            // Where no route may use it, that is what is wrong.
            const message = "There is no endpoint to send connections to.";
            if (this.used.has(key) && !this.levels.has(key)) this.report(key, "bad", "no_endpoints", message);
            return;
        }
        const down = backend.endpoints.filter((endpoint) => !isUsable(endpoint));
        if (!down.length) return;
        const all = down.length === backend.endpoints.length;
        const first = down.find((endpoint) => endpoint.failure) ?? down[0];
        const why = first.failure ? `${first.address}: ${first.failure}` : `${first.address} is ${first.state}`;
        const message = `${down.length} of ${counted(backend.endpoints.length, "endpoint")} ${down.length === 1 ? "gets" : "get"} no connections. ${why}`;
        this.report(key, all ? "bad" : "warning", all ? "no_healthy_endpoint" : "EndpointsUnhealthy", message);
    }

    judgeCertificate(certificate) {
        const left = certificate.notAfter - this.status.time / 1000;
        if (left > certificateWarning) return;
        const level = left <= certificateAlarm ? "bad" : "warning";
        const reason = left <= 0 ? "Expired" : "ExpiresSoon";
        const message = `${left <= 0 ? "Expired" : "Expires"} on ${day(certificate.notAfter * 1000)}; used by ` +
            `${certificate.usedBy.join(", ")}.`;
        this.report(certificate.object, level, reason, message);
    }

    report(object, level, reason, message, { place, type } = {}) {
        this.problems.push({ object, level, reason, message, place, type });
        this.levels.set(object, worse(level, this.levels.get(object) ?? "good"));
    }

    // A parent is at least worth a look where a child has a problem.
    inherit(object, child) {
        if (this.level(child) !== "good") this.levels.set(object, worse("warning", this.level(object)));
    }

    level(object) {
        return this.levels.get(object) ?? "good";
    }

    get totals() {
        const listeners = [...this.listeners.values()].map((each) => each.listener);
        const endpoints = this.status.backends.flatMap((backend) => backend.endpoints);
        return {
            gateways: this.gateways.size,
            listeners: listeners.length,
            serving: listeners.filter((each) => each.bindings.length && each.bindings.every((one) => one.isBound)).length,
            routes: this.routes.size,
            brokenRoutes: [...this.routes.keys()].filter((key) => this.level(key) !== "good").length,
            backends: this.backends.size,
            endpoints: endpoints.length,
            usable: endpoints.filter(isUsable).length,
        };
    }
}

function add(map, key, value) {
    if (!map.has(key)) map.set(key, []);
    if (!map.get(key).includes(value)) map.get(key).push(value);
}

// Where an object is shown in this page: by its key, percent-encoded, so that nothing of it can be an address elsewhere.
function hrefOf(object) {
    return `#/object/${encodeURIComponent(object)}`;
}

// `TCPRoute infra/redis` in its parts; the name of a listener has its Gateway's before it.
function partsOf(object) {
    const space = object.indexOf(" ");
    const [kind, rest] = [object.slice(0, space), object.slice(space + 1)];
    const [namespace, ...names] = rest.split("/");
    const name = names.join("/");
    return { kind, namespace, name: kind === "listener" ? name : name.split(":")[0], rest };
}
