// Gateways → listeners → routes → backends → endpoints, as a tree whose branches open: a node has a key (its path), a level,
// cells and children, which are made only when it is open.

function routesView() {
    const model = server.model;
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const isWanted = (key) => {
        const text = model.words.get(key) ?? key.toLowerCase();
        return words.every((word) => text.includes(word)) && (state.show === "all" || model.level(key) !== "good");
    };
    const isFiltered = words.length > 0 || state.show !== "all";
    const roots = [...model.gateways].map(([key, gateway]) => gatewayNode(key, gateway, isWanted, isFiltered)).filter(Boolean);
    roots.push(groupNode("Routes that no listener takes", "unattached", model.unattached.filter(isWanted), routeNode));
    roots.push(groupNode("Policies", "policies", [...model.policies.keys()].filter(isWanted), policyNode));
    const rows = roots.filter(Boolean).flatMap((root) => rowsOf(root, 1, isFiltered));
    const found = [...model.routes.keys()].filter(isWanted).length;
    return [
        h("div.heading", {}, h("h1", {}, "Gateways and routes"), h("span.quiet", { role: "status" },
            isFiltered ? `${count(found)} of ${counted(model.routes.size, "route")}` : counted(model.routes.size, "route"))),
        h("div.tools", {},
            searchField(state.search, "Search routes, host names and backends", "Search routes, host names, backends"),
            choice("Shown", "show", [["all", "All"], ["problems", "To look at"]], state.show),
            button("Open all", "openAll", {}), button("Close all", "closeAll", {})),
        rows.length
            ? h("div.tree", { role: "tree", "aria-label": "Gateways and routes" }, treeHead(), rows)
            : h("section.card", {}, nothing(isFiltered ? "Nothing matches." : "There is nothing here yet.", null)),
    ];
}

function treeHead() {
    return h("div.row.head", { role: "presentation", "aria-hidden": "true" },
        h("div.what", {}, "Object"), h("div.note", {}, ""), h("div.number", {}, "Open"), h("div.number", {}, "New"),
        h("div.number", {}, "Throughput"));
}

function gatewayNode(key, gateway, isWanted, isFiltered) {
    const listeners = gateway.listeners.map((listener) => listenerNode(gateway, listener, isWanted, isFiltered)).filter(Boolean);
    const isNamed = !isFiltered || isWanted(key);
    if (!isNamed && !listeners.length) return null;
    return {
        key, object: key, level: server.model.level(key), isOpenAtFirst: true,
        note: [gateway.addresses.slice(0, 2).join(", "), counted(gateway.listeners.length, "listener")],
        open: sum(gateway.listeners.map((each) => countsOf("listener", listenerKey(gateway, each), each.traffic)?.active ?? 0)),
        children: () => listeners, name: "listeners of " + key,
    };
}

function listenerNode(gateway, listener, isWanted, isFiltered) {
    const key = listenerKey(gateway, listener);
    const object = `listener ${key}`;
    const isNamed = isWanted(object);
    const words = isFiltered ? listener.routes.filter(isWanted) : listener.routes;
    if (isFiltered && !isNamed && !words.length) return null;
    const routes = isFiltered && !words.length ? listener.routes : words;
    const bound = listener.bindings.map((binding) => binding.address).join(", ") || `port ${listener.port}`;
    return {
        key: object, object, kind: "listener", name: listener.name, level: server.model.level(object),
        isOpenAtFirst: listener.routes.length <= 20,
        note: [bound, listener.mode, listener.hostname, counted(listener.routes.length, "route")],
        live: ["listener", key, listener.traffic, "accepted"],
        children: () => routes.map((route) => routeNode(route, object)),
    };
}

function routeNode(key, path = "unattached") {
    const route = server.model.routes.get(key);
    const level = server.model.level(key);
    if (!route) return { key: `${path} ${key}`, object: key, level, note: [], children: () => [] };
    return {
        key: `${path} ${key}`, object: key, level,
        note: [
            several(route.hostnames), counted(route.backends.length, "backend")],
        live: ["route", key, route.traffic, "opened"],
        children: () => route.backends.map((reference, index) => backendNode(reference, `${path} ${key} ${index}`, route)),
    };
}

function backendNode(reference, path, route) {
    const backend = server.model.backends.get(reference.backend);
    const others = route.backends.filter((each) => each.rule === reference.rule && !each.isFallback);
    const weights = sum(others.map((each) => each.weight));
    const share = reference.isFallback ? "fallback"
        : route.backends.length > 1 ? `${weights ? Math.round((reference.weight / weights) * 100) : 0} %` : null;
    const endpoints = backend?.endpoints ?? [];
    const health = `${count(endpoints.filter(isUsable).length)} of ${counted(endpoints.length, "endpoint")} usable`;
    return {
        key: path, object: reference.backend, level: reference.isResolved ? server.model.level(reference.backend) : "bad",
        note: [share, reference.isResolved ? health : "not resolved"],
        live: backend && ["backend", reference.backend, backend.traffic, "connected"],
        children: () => endpoints.map((endpoint) => endpointNode(endpoint, path)),
    };
}

function endpointNode(endpoint, path) {
    return {
        key: `${path} ${endpoint.address}`, kind: "endpoint", name: endpoint.address,
        level: isUsable(endpoint) ? "good" : "bad",
        note: [endpoint.state, endpoint.zone && `zone ${endpoint.zone}`, endpoint.failure],
    };
}

function policyNode(key) {
    const policy = server.model.policies.get(key);
    return { key: `policies ${key}`, object: key, level: server.model.level(key), note: [policy.targets.join(", ")] };
}

function groupNode(title, key, members, make) {
    if (!members.length) return null;
    const level = members.map((member) => server.model.level(member)).reduce(worse, "good");
    return {
        key, title, level: level === "good" ? "none" : "warning", isOpenAtFirst: level !== "good" && members.length <= 20, note: [count(members.length)],
        children: () => members.map((member) => make(member)),
    };
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

const isOpen = (node, isFiltered) => state.opened.get(node.key) ?? (node.isOpenAtFirst || isFiltered && node.kind === "listener");

// A node's row, and those of its branches as far as they are open and on the page that is shown.
function rowsOf(node, depth, isFiltered) {
    const isBranch = Boolean(node.children);
    const opened = isBranch && isOpen(node, isFiltered);
    const row = treeRow(node, depth, isBranch ? opened : null);
    if (!opened) return [row];
    const children = node.children();
    if (!children.length) return [row, h("div.row.none", { class: `depth${depth + 1}`, role: "presentation" }, "none")];
    const { shown, turn } = paged(node.key, children);
    const rows = shown.flatMap((child) => rowsOf(child, depth + 1, isFiltered));
    const pages = { class: `depth${depth + 1}`, "data-key": `turn ${node.key}`, role: "presentation" };
    return [row, ...rows, turn && h("div.row.turn", pages, turn)];
}

function treeRow(node, depth, opened) {
    const name = node.object && !node.kind ? namedLink(node.object)
        : node.object
            ? h("a.object", { href: hrefOf(node.object) }, h("span.kind", {}, node.kind), " ", h("span.name", {}, node.name))
            : h("span.object", {}, node.kind && h("span.kind", {}, node.kind + " "), h("span.name", {}, node.title ?? node.name));
    const [kind, key, fallback, field] = node.live ?? [];
    const counts = kind ? countsOf(kind, key, fallback) : null;
    const active = node.open ?? counts?.active;
    const fresh = kind && objectRate(kind, key, field);
    const bytesOf = (direction) => objectRate(kind, key, direction) ?? NaN;
    const flow = kind === "route" ? bytesOf("requestBytes") + bytesOf("responseBytes") : NaN;
    const label = node.title ?? node.object ?? `${node.kind} ${node.name}`;
    return h("div.row", {
        role: "treeitem", "aria-level": depth, "aria-expanded": opened === null ? null : String(opened), "aria-label": label,
        class: `depth${depth}`, "data-key": node.key, "data-action": opened === null ? null : "toggle",
        tabindex: (state.current ?? firstKey()) === node.key ? "0" : "-1",
        "data-live": kind ? JSON.stringify([kind, key]) : null,
    },
        h("div.what", {}, opened === null ? h("span.twist") : h("span.twist", { class: opened ? "opened" : "" }, icon("open")),
            node.level === "none" ? null : mark(node.level), name),
        h("div.note", {}, node.note.filter(Boolean).map((text) => h("span", {}, text))),
        h("div.number", { "data-label": "open" }, active === undefined || active === null ? "" : count(active)),
        h("div.number", { "data-label": "new" }, Number.isFinite(fresh) ? rate(fresh) : ""),
        h("div.number", { "data-label": "throughput" }, Number.isFinite(flow) ? byteRate(flow) : ""));
}

const firstKey = () => server.model.gateways.keys().next().value ?? "unattached";

function openAll(isOpened) {
    state.opened.clear();
    if (isOpened) return server.model.listeners.forEach(({ key }) => state.opened.set(`listener ${key}`, true));
    server.model.gateways.forEach((_, key) => state.opened.set(key, false));
    server.model.listeners.forEach(({ key }) => state.opened.set(`listener ${key}`, false));
}

// Objects whose live counts are asked for: those that are on the screen, as many as fit a request line.
function wantedKeys() {
    const { name, object } = view();
    if (name === "object") return objectKeys(object);
    if (name !== "routes") return [];
    let size = 0;
    const keys = new Map();
    for (const row of document.querySelectorAll("[data-live]")) {
        const box = row.getBoundingClientRect();
        if (box.bottom < 0 || box.top > innerHeight || keys.has(row.dataset.live)) continue;
        const key = JSON.parse(row.dataset.live);
        size += encodeURIComponent(key[1]).length + 10;
        if (size > 4000) break;
        keys.set(row.dataset.live, key);
    }
    return [...keys.values()];
}
