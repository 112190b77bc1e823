// Which view is shown, the parts around it, and what people do.

const state = {
    search: "",
    show: "all",
    minutes: 10,
    opened: new Map(),
    pages: new Map(),
    current: null,
    sort: { field: "ageMilliseconds", isDescending: false },
    said: "",
};

const views = [
    ["overview", "Overview"], ["routes", "Routes"], ["connections", "Connections"], ["certificates", "Certificates"],
    ["history", "History"],
];

// The view that the address names: `#/routes?show=problems`, `#/object/TCPRoute%20infra%2Fredis`.
function view() {
    const [path, query] = location.hash.slice(2).split("?");
    const [name, ...rest] = path.split("/");
    if (name === "object") {
        try {
            return { name, object: decodeURIComponent(rest.join("/")), query: "" };
        } catch {
            return { name: "overview", query: "" };
        }
    }
    return { name: views.some(([each]) => each === name) ? name : "overview", query: query ?? "" };
}

function render() {
    const { name, object } = view();
    morph(document.getElementById("views"), views.map(([each, text]) => h("a", {
        href: each === "overview" ? "#/" : `#/${each}`, "data-key": each,
        "aria-current": each === name || (each === "routes" && name === "object") ? "page" : null,
    }, text, each === "overview" && server.model?.problems.length ? badge(count(server.model.problems.length), "bad") : null)));
    morph(document.getElementById("live"), liveState());
    morph(document.getElementById("notices"), notices());
    if (!server.model) return;
    morph(document.getElementById("main"), content(name, object));
    document.title = titleOf(name, object);
    morph(document.getElementById("footer"), name === "overview" ? null : factsOfProcess());
}

function content(name, object) {
    switch (name) {
    case "routes": return routesView();
    case "connections": return connectionsView();
    case "certificates": return certificatesView();
    case "history": return historyView();
    case "object": return objectView(object);
    default: return overview();
    }
}

function titleOf(name, object) {
    const bad = server.model.problems.filter((problem) => problem.level === "bad").length;
    const what = object ?? views.find(([each]) => each === name)[1];
    return `${bad ? `(${bad}) ` : ""}${what} · Sluice`;
}

function liveState() {
    const [level, text] = server.isPaused ? ["none", "Paused"]
        : server.goneSince ? ["bad", server.isRefused ? "Error" : "No answer"]
            : server.model ? ["good", "Live"] : ["none", "Connecting"];
    const act = server.isPaused ? "Go on" : "Pause";
    return [
        h("span.pulse", { class: level, role: "status" }, h("i", {}), text),
        button("", "pause", { "aria-label": act, title: act, class: "symbol" }, server.isPaused ? "play" : "pause"),
    ];
}

function notices() {
    const result = [];
    if (server.goneSince) {
        const known = server.model ? ` What is shown is from ${clock(now())}.` : "";
        const fault = server.isRefused ? "answers with an error" : "does not answer";
        const since = `The gateway ${fault} since ${clock(server.goneSince)} (${server.problem}).`;
        result.push(["bad", `${since}${known} It is asked again every two seconds.`]);
    }
    if (server.model && server.status.version !== server.firstVersion) {
        const text = `The gateway runs version ${server.status.version} now; this page came with ${server.firstVersion}.`;
        result.push(["warning", text, button("Load it again", "reload")]);
    }
    for (const warning of server.status?.warnings ?? []) result.push(["warning", warning]);
    if (state.said) result.push(["good", state.said]);
    return result.map(([level, text, action]) =>
        h("div.notice", { class: level, "data-key": text }, icon(level), h("span", {}, text), action));
}

function factsOfProcess() {
    const { status } = server;
    const facts = [
        ["Version", status.version], ["Source", `${status.source}${status.sourceDetail ? ` ${status.sourceDetail}` : ""}`],
        ["Generation", `${count(status.generation)}${status.appliedAt ? `, ${ago(status.appliedAt * 1000, now())}` : ""}`],
        ["Leader", { true: "yes", false: "no, another replica writes statuses" }[status.isLeader]],
        ["Up", status.startedAt ? duration(now() / 1000 - status.startedAt) : null],
    ];
    return factList("process", facts);
}

let silence = null;

function announce(text) {
    state.said = text;
    render();
    clearTimeout(silence);
    silence = setTimeout(() => {
        state.said = "";
        render();
    }, 6000);
}

function navigated() {
    const { name, query } = view();
    const asked = new URLSearchParams(query);
    state.search = asked.get("q") ?? "";
    state.show = asked.get("show") === "problems" ? "problems" : "all";
    state.pages.clear();
    plotMoment = null;
    if (name !== "connections") server.connections = null;
    render();
    const field = document.querySelector("input[type=search]");
    if (field) field.value = state.search;
    scrollTo(0, 0);
    poll();
}

window.addEventListener("hashchange", navigated);
