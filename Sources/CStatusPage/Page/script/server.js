// Asks the admin address, at the pace at which something may have changed: /traffic every two seconds; /status and /history
// when the generation has changed, else every ten seconds or so. Nothing is asked while nobody looks.

const trafficPause = 2000;
const statusPause = 10000;
const closeHeader = "X-Sluice-Action";

const server = {
    status: null,
    model: null,
    traffic: null,
    history: null,
    connections: null,
    connectionProblem: null,
    isPaused: false,
    // Since when it does not answer, in milliseconds of this browser's clock; null while it does.
    goneSince: null,
    problem: null,
    isRefused: false,
    // The version that this page came with.
    firstVersion: null,
    explanations: new Map(),
    statusAskedAt: -Infinity,
    statusCost: 0,
    statusText: "",
};

// The server is there, and says no.
class Refusal extends Error {}

let timer = null;
let isAsking = false;

async function ask(path, timeout = 8000) {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(timeout), credentials: "omit" });
    const text = await answer.text();
    if (!answer.ok) throw new Refusal(explainFailure(path, answer.status, text));
    return text;
}

function explainFailure(path, status, text) {
    try {
        const said = JSON.parse(text).error;
        if (said) return `${path.split("?")[0]} answered ${status}: ${said}`;
    } catch {
        // No JSON: the status says enough.
    }
    return `${path.split("?")[0]} answered ${status}`;
}

// One round; the next follows by itself.
async function poll() {
    clearTimeout(timer);
    if (isAsking || document.hidden || server.isPaused) return;
    isAsking = true;
    try {
        await pollTraffic();
        await pollStatus();
        await pollConnections();
        server.goneSince = null;
        server.problem = null;
    } catch (error) {
        server.goneSince ??= Date.now();
        server.isRefused = error instanceof Refusal;
        server.problem = error.name === "TimeoutError" ? "no answer in time" : error.message;
    }
    isAsking = false;
    render();
    if (!document.hidden && !server.isPaused) timer = setTimeout(poll, trafficPause);
}

async function pollTraffic() {
    const query = wantedKeys().map(([kind, key]) => `${kind}=${encodeURIComponent(key)}`).join("&");
    const traffic = JSON.parse(await ask(`/traffic${query && "?"}${query}`));
    noteObjects(traffic);
    server.traffic = traffic;
}

// A large configuration is fetched less often: at most a twentieth of the time goes into it.
async function pollStatus() {
    const now = performance.now();
    const isDue = now - server.statusAskedAt >= Math.max(statusPause, 20 * server.statusCost);
    const isChanged = server.traffic.generation !== server.status?.generation && now - server.statusAskedAt > 3 * server.statusCost;
    if (server.model && !isDue && !isChanged) return;
    server.statusAskedAt = now;
    const text = await ask("/status", 30000);
    // The same tree, but for when it was made, needs no second look.
    const comparable = text.replace(/"time":\d+/, "");
    if (comparable !== server.statusText) {
        const status = JSON.parse(text);
        if (status.generation !== server.status?.generation) server.explanations.clear();
        server.status = status;
        server.firstVersion ??= status.version;
        server.model = new Model(status);
        server.statusText = comparable;
    }
    server.history = JSON.parse(await ask("/history"));
    server.statusCost = performance.now() - now;
}

async function pollConnections() {
    if (view().name !== "connections") return;
    try {
        server.connections = JSON.parse(await ask(`/connections?${connectionQuery()}`));
        server.connectionProblem = null;
    } catch (error) {
        // A filter that is not finished yet, most often.
        if (!(error instanceof Refusal)) throw error;
        server.connectionProblem = error.message;
    }
}

// Why an object serves traffic, or why not; asked once for each generation.
async function explain(object) {
    if (server.explanations.has(object)) return;
    server.explanations.set(object, { isLoading: true });
    const { kind, namespace, name } = partsOf(object);
    const query = new URLSearchParams({ kind, namespace, name });
    try {
        server.explanations.set(object, JSON.parse(await ask(`/explain?${query}`)));
    } catch (error) {
        server.explanations.set(object, { failure: error.message });
    }
    render();
}

async function closeConnections(query) {
    const answer = await fetch(`/connections/close?${query}`, {
        method: "POST", headers: { [closeHeader]: "close" }, cache: "no-store", credentials: "omit",
        signal: AbortSignal.timeout(8000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(explainFailure("/connections/close", answer.status, text));
    return JSON.parse(text).closed?.length ?? 0;
}

// The gateway's clock, in milliseconds since 1970.
const now = () => Math.max(server.traffic?.time ?? 0, server.status?.time ?? 0) || Date.now();

document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else poll();
});
