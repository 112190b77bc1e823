// Numbers, sizes and times as people read them.

const missing = "–";

function count(value) {
    return Number(value).toLocaleString("en-US");
}

// `1 route`, `3 routes`.
function counted(value, one, many = one + "s") {
    return `${count(value)} ${value === 1 ? one : many}`;
}

// The first of a list, and how many more there are.
function several(list, shown = 3) {
    return list.slice(0, shown).join(", ") + (list.length > shown ? ` and ${count(list.length - shown)} more` : "");
}

// Three digits that matter, with the unit that makes it so.
function scaled(value, units, base) {
    if (!Number.isFinite(value)) return missing;
    let unit = 0;
    while (value >= base && unit < units.length - 1) {
        value /= base;
        unit += 1;
    }
    const digits = unit === 0 && Number.isInteger(value) ? 0 : value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return `${value.toFixed(digits)}${units[unit]}`;
}

const bytes = (value) => scaled(value, [" B", " KiB", " MiB", " GiB", " TiB"], 1024);
const byteRate = (value) => (Number.isFinite(value) ? bytes(value) + "/s" : missing);

function number(value) {
    if (!Number.isFinite(value)) return missing;
    return value < 10000 ? scaled(value, [""], Infinity) : scaled(value, ["", " k", " M", " G"], 1000);
}

const rate = (value) => (Number.isFinite(value) ? number(value) + "/s" : missing);

// Nanoseconds.
function latency(nanoseconds) {
    if (!Number.isFinite(nanoseconds)) return missing;
    if (nanoseconds < 1e6) return scaled(nanoseconds / 1e3, [" µs"], Infinity);
    return nanoseconds < 1e9 ? scaled(nanoseconds / 1e6, [" ms"], Infinity) : scaled(nanoseconds / 1e9, [" s"], Infinity);
}

// Seconds, in one or two units: `4 s`, `2 min 5 s`, `3 d 4 h`.
function duration(seconds) {
    if (!Number.isFinite(seconds)) return missing;
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const first = steps.findIndex(([size]) => whole >= size);
    const [size, name] = steps[first];
    const rest = first + 1 < steps.length ? Math.floor((whole % size) / steps[first + 1][0]) : 0;
    return `${Math.floor(whole / size)} ${name}${rest ? ` ${rest} ${steps[first + 1][1]}` : ""}`;
}

const pad = (value) => String(value).padStart(2, "0");

// Milliseconds since 1970, as the browser's clock has them.
function clock(milliseconds) {
    const time = new Date(milliseconds);
    return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

function day(milliseconds) {
    const time = new Date(milliseconds);
    return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
}

const moment = (milliseconds) => `${day(milliseconds)} ${clock(milliseconds)}`;

// How long ago, by the gateway's clock.
function ago(milliseconds, now) {
    const seconds = (now - milliseconds) / 1000;
    return seconds < 2 ? "just now" : `${duration(seconds)} ago`;
}
