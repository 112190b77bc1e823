// Certificates, history, and one object with all that is known of it.

function certificatesView() {
    const columns = [
        { name: "Expires", cell: (each) => expiry(each) },
        { name: "Object", cell: (each) => namedLink(each.object) },
        { name: "Names", cell: (each) => several(each.names, 4) },
        { name: "Usage", cell: (each) => badge(each.usage.replaceAll("_", " ")) },
        { name: "Used by", cell: (each) => several(each.usedBy) },
    ];
    const key = (each) => `${each.object} ${each.usage} ${each.usedBy[0] ?? ""}`;
    const { shown, turn } = paged("certificates", server.status.certificates);
    return [
        h("div.heading", {}, h("h1", {}, "Certificates"), h("span.quiet", {}, "the soonest to expire first")),
        shown.length
            ? [table("Certificates", columns, shown, { keyOf: key }), turn]
            : h("section.card", {}, nothing("No certificate is in use.", null)),
    ];
}

function expiry(certificate) {
    const left = certificate.notAfter - now() / 1000;
    const level = left <= certificateAlarm ? "bad" : left <= certificateWarning ? "warning" : "good";
    return h("div.expiry", {}, mark(level), h("div", {},
        h("b", {}, left <= 0 ? `expired ${duration(-left)} ago` : `in ${duration(left)}`),
        h("span.quiet", {}, ` ${moment(certificate.notAfter * 1000)}`)));
}

const tookHint = "from the change seen to every worker running it";

function historyView() {
    const { shown, turn } = paged("history", server.history ?? []);
    return [
        h("div.heading", {}, h("h1", {}, "History"), h("span.quiet", {}, "the last 50 changes of the configuration")),
        shown.length ? h("ol.history", {}, shown.map((step) => h("li.card", { "data-key": String(step.generation) },
            h("header", {},
                h("h2", {}, `Generation ${count(step.generation)}`),
                h("span.quiet", { title: moment(step.appliedAt) }, `${ago(step.appliedAt, now())}, ${moment(step.appliedAt)}`),
                h("div.aside", {}, badge(scaled(step.milliseconds, [" ms"], Infinity), "plain", tookHint))),
            h("ul.changes", {}, step.changes.map((change) => h("li", { class: changeKind(change) }, change))))))
            : h("section.card", {}, nothing("Nothing has changed since the start.", null)),
        turn,
    ];
}

const changeKind = (change) => ({ "+": "added", "-": "removed", "~": "changed" })[change[0]] ?? "more";

function objectView(object) {
    const model = server.model;
    const known = factsOf(object);
    explain(object);
    const { kind, rest } = partsOf(object);
    const level = model.level(object);
    const problems = model.problems.filter((problem) => problem.object === object);
    return [
        h("p.path", {}, h("a", { href: "#/routes" }, icon("back"), "Gateways and routes")),
        h("div.heading", {}, h("h1.object", {}, h("span.kind", {}, kind), " ", h("span.name", {}, rest)),
            known && badge(levelNames[level], level)),
        !known && h("section.card", {}, nothing("The gateway knows no such object now; it may have been deleted.", "warning")),
        known?.facts && factList("facts", known.facts),
        problems.length > 0 && card("What is wrong", {}, h("ul.list", {}, problems.map(problemRow))),
        explanationCard(object),
        objectPlots(object),
        known?.conditions?.length > 0 && card("Conditions", {}, known.conditions.map(([parent, conditions]) => [
            parent && h("h3", {}, parent), h("ul.conditions", {}, conditionRows(conditions))])),
        known?.endpoints && endpointCard(known.endpoints, object),
        (known?.related ?? []).map(([title, keys]) => keys.length > 0 && relatedCard(title, keys)),
    ];
}

function relatedCard(title, keys) {
    const { shown, turn } = paged(title, keys);
    return card(title, { aside: badge(count(keys.length)) },
        h("ul.related", {}, shown.map((key) => h("li", { "data-key": key }, mark(server.model.level(key)), namedLink(key)))), turn);
}

function endpointCard(endpoints, object) {
    const { shown, turn } = paged(`endpoints of ${object}`, endpoints);
    return card("Endpoints", { aside: badge(count(endpoints.length)) },
        shown.length ? h("ul.list", {}, shown.map(endpointRow)) : nothing("There is none.", "bad"), turn);
}

function endpointRow(endpoint) {
    const level = isUsable(endpoint) ? "good" : "bad";
    return h("li.problem", { "data-key": endpoint.address }, mark(level, endpoint.state), h("div", {},
        h("p.title", {}, h("b.mono", {}, endpoint.address), badge(endpoint.state, level), endpoint.zone && badge(`zone ${endpoint.zone}`)),
        endpoint.failure && h("p", {}, endpoint.failure),
        endpoint.checkedAt && h("p.quiet", {}, `checked ${ago(endpoint.checkedAt, now())}`)));
}

// The chain from the Gateway to the endpoints, link by link.
function explanationCard(object) {
    const explanation = server.explanations.get(object);
    if (!explanation || explanation.isLoading) return card("Why", {}, h("p.loading", {}, "Asking why…"));
    if (explanation.failure) return card("Why", {}, nothing(`There is no explanation: ${explanation.failure}.`, null));
    const { shown, turn } = paged(`why ${object}`, explanation.links);
    return [
        card("Why", { aside: h("span.quiet", {}, "from the Gateway to the endpoints") },
            h("ol.chain", {}, shown.map(linkRow)), turn),
        explanation.values.length > 0 && card("What holds for it", {}, valueTable(explanation.values, object)),
    ];
}

function linkRow(link, index) {
    const level = link.verdict === "broken" ? "bad" : link.verdict;
    return h("li", { class: `${level} depth${Math.min(link.depth, 6)}`, "data-key": `${index} ${link.object}` }, mark(level), h("div", {},
        h("p.title", {}, h("b", {}, link.object), link.field && h("code", {}, link.field), link.cause && badge(link.cause, level)),
        h("p", {}, link.message), link.advice && h("p.advice", {}, link.advice)));
}

function valueTable(values, object) {
    const columns = [
        { name: "Setting", class: "mono", cell: (each) => each.field },
        { name: "Value", class: "mono", cell: (each) => each.value },
        { name: "From", cell: (each) => each.source },
    ];
    const { shown, turn } = paged(`values ${object}`, values);
    return [table("Settings", columns, shown, { keyOf: (each) => `${each.field} ${each.source}` }), turn];
}
