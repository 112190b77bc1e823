// The first view: how it goes, what it carries, what is wrong, who was refused.

const isNarrow = matchMedia("(max-width: 860px)");

function overview() {
    const model = server.model;
    const lists = h("div.columns", { "data-key": "lists" }, problemCard(model), refusalCard());
    // On a phone, what is wrong comes before the plots.
    return [verdict(model), tiles(model), isNarrow.matches ? [lists, plots()] : [plots(), lists]];
}

function verdict(model) {
    const totals = model.totals;
    const bad = model.problems.filter((problem) => problem.level === "bad").length;
    const [level, text] = !model.problems.length
        ? totals.gateways
            ? ["good", "Everything is served as it is configured"]
            : ["warning", "There is no Gateway yet"]
        : bad
            ? ["bad", `${counted(bad, "problem")} to solve`]
            : ["warning", `${counted(model.problems.length, "thing")} to look at`];
    const detail = totals.gateways
        ? `${count(totals.serving)} of ${counted(totals.listeners, "listener")} bound, ${counted(totals.routes, "route")}, ` +
            `${count(totals.usable)} of ${counted(totals.endpoints, "endpoint")} usable`
        : "A Gateway of the class sluice, with a listener and a route, is what it serves.";
    return h("section.verdict", { class: level, "aria-label": "How it goes" },
        h("div.seal", {}, icon(level)), h("div", {}, h("h1", {}, text), h("p", {}, detail)), factsOfProcess());
}

function tiles(model) {
    const totals = model.totals;
    const last = series(server.traffic, 1);
    const tile = (name, value, detail, href, level) => h("a.tile", { href, class: level },
        h("span.label", {}, name), h("span.figure", {}, value), h("span.detail", {}, detail));
    const broken = totals.brokenRoutes;
    return h("div.tiles", {},
        tile("Open connections", count(server.traffic.total.active), `${rate(last.accepted.at(-1) ?? NaN)} new`, "#/connections"),
        tile("Gateways", count(totals.gateways), counted(totals.listeners, "listener"), "#/routes"),
        tile("Listeners bound", `${count(totals.serving)}/${count(totals.listeners)}`,
            totals.serving < totals.listeners ? `${count(totals.listeners - totals.serving)} not bound` : "all of them", "#/routes",
            totals.serving < totals.listeners && "bad"),
        tile("Routes", count(totals.routes), broken ? `${count(broken)} to look at` : "all fine",
            broken ? "#/routes?show=problems" : "#/routes", broken ? "warning" : null),
        tile("Endpoints usable", `${count(totals.usable)}/${count(totals.endpoints)}`, `of ${counted(totals.backends, "backend")}`,
            "#/routes", totals.usable < totals.endpoints && "warning"),
        tile("Connections so far", number(server.traffic.total.accepted),
            `${number(server.traffic.total.failed)} refused or failed`, "#/connections"));
}

function plots() {
    const data = series(server.traffic, state.minutes);
    const line = (name, values, which) => ({ name, values, class: which });
    return h("section", { "aria-label": "Live traffic", "data-key": "plots" },
        h("div.heading", {}, h("h2", {}, "Traffic"),
            choice("Time shown", "minutes", [["1", "1 min"], ["5", "5 min"], ["10", "10 min"]], String(state.minutes))),
        h("div.plots", {},
            plot({ key: "accepted", title: "New connections", data, format: rate, lines: [line("new", data.accepted, "one")] }),
            plot({ key: "active", title: "Open connections", data, format: number, lines: [line("open", data.active, "one")] }),
            plot({
                key: "bytes", title: "Throughput", data, format: byteRate, isBinary: true,
                hint: "In: from clients. Out: to clients.",
                lines: [line("in", data.request, "one"), line("out", data.response, "two")],
            }),
            plot({
                key: "setup", title: "Added latency", data, format: latency, lines: [line("mean", data.setup, "three")],
                hint: "From accept until bytes can flow: PROXY header, TLS, choice and connect. The mean of each step.",
            })));
}

function problemCard(model) {
    const { shown, turn } = paged("problems", model.problems);
    // What to do is in the explanation of the object, in the words of `sluice explain`.
    shown.slice(0, 20).forEach((problem) => isExplained(problem.object) && explain(problem.object));
    return card("Problems", { id: "problems", aside: model.problems.length ? badge(count(model.problems.length), "bad") : null },
        shown.length ? h("ul.list", {}, shown.map(problemRow)) : nothing("Nothing is wrong."), turn);
}

function problemRow(problem, index) {
    const link = linkFor(problem);
    return h("li.problem", { "data-key": `${problem.object} ${problem.reason} ${problem.place ?? ""} ${index}` },
        mark(problem.level),
        h("div", {},
            h("p.title", {}, !isShown(problem.object) && h("a.object", { href: hrefOf(problem.object) }, problem.object),
                badge(problem.reason, problem.level), link?.cause && link.cause !== problem.reason && badge(link.cause, problem.level)),
            h("p", {}, problem.message),
            link?.advice && h("p.advice", {}, link.advice),
            problem.place && h("p.quiet", {}, problem.type ? `${problem.type} at ${problem.place}` : problem.place)));
}

// Whether this is the page of that object, which need not be named again.
const isShown = (object) => view().object === object;

const explainedKinds = [
    "Gateway", "ListenerSet", "listener", "TCPRoute", "TLSRoute", "Service", "Backend", "ClientPolicy", "BackendPolicy",
    "BackendTLSPolicy", "Secret",
];
const isExplained = (object) => explainedKinds.includes(partsOf(object).kind);

// The link of the object's explanation that says the same, else the one that is about it, else the first that is broken on
// the way to a route: it has the cause and the advice.
function linkFor(problem) {
    const links = server.explanations.get(problem.object)?.links ?? [];
    const wrong = links.filter((link) => link.verdict !== "good" && link.advice);
    return wrong.find((link) => link.message === problem.message || link.cause === problem.reason)
        ?? wrong.find((link) => link.object === problem.object)
        ?? (/^T(CP|LS)Route /.test(problem.object) ? wrong[0] : undefined);
}

function refusalCard() {
    const { shown, turn } = paged("refusals", server.traffic.refusals);
    return card("Refused or failed in the last ten minutes", { id: "refusals" },
        shown.length ? h("ul.list", {}, shown.map(refusalRow)) : nothing("No connection was refused or failed."), turn);
}

function refusalRow(refusal) {
    const total = refusal.minutes.reduce((sum, value) => sum + value, 0);
    // A listener is named by its Gateway: `Gateway infra/edge/redis`.
    const place = refusal.place.startsWith("Gateway ") ? `listener ${refusal.place.slice(8)}` : refusal.place;
    return h("li.refusal", { "data-key": `${refusal.reason} ${refusal.place}` },
        h("div", {},
            h("p.title", {}, h("b.reason", {}, refusal.reason), " ", objectLink(place, refusal.place)),
            refusal.meaning && h("p", {}, refusal.meaning),
            refusal.advice && h("p.advice", {}, refusal.advice)),
        h("div.often", {}, h("b", {}, count(total)),
            bars(refusal.minutes, `${count(total)} in ten minutes, ${count(refusal.minutes.at(-1) ?? 0)} in the last one`)));
}
