// Connections that are open now: filter, sort, close. `field:value` is asked of the gateway, so that it finds one among
// thousands; other words are looked for in what came.

const connectionLimit = 1000;
// Those that are offered; the gateway takes more, and says which where one is unknown to it.
const connectionFields = [
    "client", "state", "gateway", "listener", "port", "route", "backend", "endpoint", "sni", "tlsVersion", "alpn", "minAge", "idle",
    "minBytes",
];
const shownFields = [
    "id", "state", "listener", "port", "route", "backend", "endpoint", "client", "peer", "serverName", "tlsVersion", "tlsCipher",
    "alpn", "proxyUniqueID",
];
// What the gateway sorts by, so that the first of thousands come.
const sortNames = {
    ageMilliseconds: "age", idleMilliseconds: "idle", requestBytes: "requestBytes", responseBytes: "responseBytes", rate: "rate",
};
const stateLevels = { relaying: "good", closing: "plain" };

// What was typed: words, and the filters among them.
function parsedSearch() {
    const result = { filters: [], words: [] };
    for (const word of state.search.split(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/).filter(Boolean)) {
        const colon = word.indexOf(":");
        const value = word.slice(colon + 1).replaceAll('"', "");
        const isField = /^[a-z]\w*$/i.test(word.slice(0, colon));
        if (colon > 0 && isField && value) result.filters.push([word.slice(0, colon), value]);
        else if (colon > 0 && isField) continue;
        else result.words.push(word.toLowerCase());
    }
    return result;
}

function connectionQuery() {
    const { field, isDescending } = state.sort;
    const order = sortNames[field] ? [["sort", sortNames[field]], ["order", isDescending ? "descending" : "ascending"]] : [];
    return String(new URLSearchParams([["limit", connectionLimit], ...order, ...parsedSearch().filters]));
}

const connectionColumns = [
    { name: "Client", field: "client", class: "mono", cell: (each) => [each.client, each.peer !== each.client && each.peer &&
        h("span.quiet", { title: "the other end of the connection, which named the client" }, ` via ${each.peer}`)] },
    { name: "State", field: "state", cell: (each) => badge(each.state, stateLevels[each.state] ?? "info") },
    {
        name: "Listener", field: "listener",
        cell: (each) => each.listener && objectLink(`listener ${each.listener}`, each.listener),
    },
    { name: "Route", field: "route", cell: (each) => each.route && namedLink(each.route) },
    { name: "Endpoint", field: "endpoint", class: "mono", cell: (each) => each.endpoint ?? "" },
    {
        name: "Name", field: "serverName",
        cell: (each) => [each.serverName ?? "", each.tlsVersion && h("span.quiet", {}, ` ${each.tlsVersion}`)],
    },
    { name: "Age", field: "ageMilliseconds", class: "number", cell: (each) => duration(each.ageMilliseconds / 1000) },
    { name: "Idle", field: "idleMilliseconds", class: "number", cell: (each) => duration(each.idleMilliseconds / 1000) },
    { name: "In", field: "requestBytes", class: "number", cell: (each) => bytes(each.requestBytes) },
    { name: "Out", field: "responseBytes", class: "number", cell: (each) => bytes(each.responseBytes) },
    { name: "Rate", field: "rate", class: "number", cell: (each) => byteRate(rateOf(each)) },
    { name: "", class: "actions", cell: closeButton },
];

function closeButton(connection) {
    const label = `Close the connection of ${connection.client}`;
    return button("Close", "close", { "data-id": connection.id, "aria-label": label, class: "quietly" });
}

// Both ways; not known at the first look.
function rateOf(connection) {
    return connection.requestRate === undefined ? NaN : connection.requestRate + connection.responseRate;
}

function connectionsView() {
    const answer = server.connections;
    const heading = h("div.heading", {}, h("h1", {}, "Connections"),
        h("span.quiet", { role: "status" }, answer ? connectionSummary(answer) : ""));
    const { filters, words } = parsedSearch();
    const rows = answer ? sorted(answer.connections.filter((each) => matches(each, words))) : [];
    const { shown, turn } = paged("connections", rows);
    return [
        heading,
        h("div.tools", {},
            searchField(state.search, "Filter connections", "Filter, such as client:10.0.0.7 or route:infra/redis"),
            filters.length > 0 && rows.length > 0 &&
                button(`Close ${answer.total === 1 ? "this one" : `these ${count(answer.total)}`}…`, "closeMatching", { class: "danger" })),
        h("p.hint", {}, "Fields: ",
            connectionFields.map((field) => [button(field, "field", { "data-field": field, class: "quietly" }), " "])),
        server.connectionProblem &&
            h("div.notice.warning", { role: "alert" }, icon("warning"), h("span", {}, server.connectionProblem)),
        !answer ? !server.connectionProblem && h("p.loading", {}, "Asking for connections…")
            : rows.length ? [table("Connections", connectionColumns, shown, { sort: state.sort, keyOf: (each) => each.id }), turn]
                : h("section.card", {}, nothing(state.search ? "No open connection matches." : "No connection is open.", null)),
    ];
}

function connectionSummary(answer) {
    const all = count(answer.total);
    return answer.total > answer.connections.length
        ? `${count(answer.connections.length)} of ${all} that match; narrow it down to see the others` : `${all} open`;
}

function matches(connection, words) {
    const text = shownFields.map((field) => connection[field] ?? "").join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
}

function sorted(list) {
    const { field, isDescending } = state.sort;
    const compare = (one, other) => {
        const [a, b] = field === "rate" ? [rateOf(one) || 0, rateOf(other) || 0] : [one[field] ?? "", other[field] ?? ""];
        return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    };
    const sign = isDescending ? -1 : 1;
    return list.sort((one, other) => sign * compare(one, other) || one.id.localeCompare(other.id, "en", { numeric: true }));
}

// Asks before anything is closed. What is closed is what the filter matches when it is, said so.
function confirmClose(query, what, detail) {
    const dialog = document.getElementById("dialog");
    morph(dialog, h("h2", { id: "dialog-title" }, what), h("p", {}, detail),
        h("p.quiet", {}, "Both sides see an orderly end (FIN). Clients may connect again."),
        h("p.failure", { role: "alert" }, ""),
        h("div.buttons", {}, button("Keep open", "dismiss", { autofocus: true }),
            button("Close", "confirmClose", { class: "danger", "data-query": query })));
    dialog.showModal();
}

async function closeConfirmed(control) {
    const dialog = document.getElementById("dialog");
    control.disabled = true;
    try {
        const closed = await closeConnections(control.dataset.query);
        dialog.close();
        announce(closed ? `${counted(closed, "connection")} closed.` : "No connection matched any more.");
        poll();
    } catch (error) {
        dialog.querySelector(".failure").textContent = `Not closed: ${error.message}`;
    }
    control.disabled = false;
}
