// Rates out of counts: of the whole gateway by /traffic's history, of objects and connections by what was seen before.

const points = 120;

// What happens in each step of the last `minutes`: connections and bytes per second, the mean of the added latency. A step is
// several samples, so that a line of ten minutes is calm. Counts that fall (the process started anew) leave a gap.
function series(traffic, minutes) {
    const from = traffic.time - minutes * 60000;
    const samples = traffic.history.filter((sample) => sample.time >= from - 1000 * traffic.interval);
    const step = Math.max(1, Math.ceil(samples.length / points));
    const result = { from, to: traffic.time, time: [], accepted: [], active: [], request: [], response: [], setup: [] };
    for (let end = samples.length - 1; end >= step; end -= step) {
        const [before, after] = [samples[end - step], samples[end]];
        const seconds = (after.time - before.time) / 1000;
        const isWhole = seconds > 0 && after.accepted >= before.accepted && after.setups >= before.setups;
        const setups = after.setups - before.setups;
        result.time.unshift(after.time);
        result.active.unshift(after.active);
        result.accepted.unshift(isWhole ? (after.accepted - before.accepted) / seconds : null);
        result.request.unshift(isWhole ? (after.requestBytes - before.requestBytes) / seconds : null);
        result.response.unshift(isWhole ? (after.responseBytes - before.responseBytes) / seconds : null);
        result.setup.unshift(isWhole && setups ? (after.setupNanoseconds - before.setupNanoseconds) / setups : null);
    }
    return result;
}

// Counts of objects as they came, some minutes of them; for their rates and the plots of one that is looked at.
const seenObjects = new Map();
const remembered = 150;

function noteObjects(traffic) {
    for (const [kind, map] of [["listener", traffic.listeners], ["route", traffic.routes], ["backend", traffic.backends]]) {
        for (const [key, counts] of Object.entries(map ?? {})) {
            const name = `${kind} ${key}`;
            const list = seenObjects.get(name) ?? [];
            list.push({ time: traffic.time, counts });
            if (list.length > remembered) list.shift();
            seenObjects.set(name, list);
        }
    }
    // Those that were not asked for lately are forgotten.
    for (const [name, list] of seenObjects) if (traffic.time - list.at(-1).time > 60000) seenObjects.delete(name);
}

// Of `field`, per second, between the last two looks; null: not known.
function objectRate(kind, key, field) {
    const list = seenObjects.get(`${kind} ${key}`);
    if (!list || list.length < 2) return null;
    return difference(list.at(-2), list.at(-1), field);
}

function difference(before, after, field) {
    const seconds = (after.time - before.time) / 1000;
    const amount = after.counts[field] - before.counts[field];
    return seconds > 0 && amount >= 0 ? amount / seconds : null;
}

// The last counts of an object: from /traffic where it was asked for, else from /status.
function countsOf(kind, key, fallback) {
    return seenObjects.get(`${kind} ${key}`)?.at(-1).counts ?? fallback ?? null;
}

// The series of one object, as plots want them.
function objectSeries(kind, key) {
    const list = seenObjects.get(`${kind} ${key}`) ?? [];
    const result = { from: now() - remembered * trafficPause, to: now(), time: [], active: [], opened: [], request: [], response: [] };
    for (let index = 1; index < list.length; index += 1) {
        const [before, after] = [list[index - 1], list[index]];
        result.time.push(after.time);
        result.active.push(after.counts.active);
        result.opened.push(difference(before, after, kind === "route" ? "opened" : kind === "listener" ? "accepted" : "connected"));
        result.request.push(difference(before, after, "requestBytes"));
        result.response.push(difference(before, after, "responseBytes"));
    }
    return result;
}
