// A plot: one or two lines over time, drawn as SVG; the value under the pointer is shown above it.

const plotWidth = 600;
const plotHeight = 120;
// The time under the pointer or keyboard, which all plots show together; null: the last.
let plotMoment = null;

// `lines`: [{name, values, class}]; `format` writes a value; `data` has time, from and to.
function plot({ key, title, lines, format, data, hint, isBinary }) {
    const values = lines.flatMap((line) => line.values).filter((value) => value !== null);
    const top = niceTop(Math.max(0, ...values), isBinary);
    const index = shownIndex(data);
    const shown = lines.map((line) => (index < 0 ? null : line.values[index]));
    const summary = lines.map((line, each) => `${line.name}: ${format(shown[each] ?? NaN)}`).join(", ");
    const digits = data.to - data.from > 120000 ? 5 : 8;
    const highest = values.length ? `, highest ${format(Math.max(...values))}` : "";
    return h("figure.plot", { "data-key": `plot ${key}` },
        h("figcaption", {},
            h("h3", { title: hint }, title),
            h("span.when", {}, plotMoment !== null && index >= 0 ? clock(data.time[index]) : "")),
        h("div.values", {}, lines.map((line, each) => h("span.value", {},
            lines.length > 1 && h("i.key", { class: line.class }), h("b", {}, format(shown[each] ?? NaN)),
            lines.length > 1 && h("span", {}, line.name)))),
        h("div.canvas", { "data-plot": key },
            s("svg", {
                viewBox: `0 0 ${plotWidth} ${plotHeight}`, preserveAspectRatio: "none", role: "img",
                "aria-label": `${title}: ${summary}${highest}`,
            }, drawing(lines, data, top, index)),
            h("span.top", { "aria-hidden": "true" }, values.length ? format(top) : ""),
            !values.length && h("span.empty", {}, "Nothing yet")),
        h("div.axis", { "aria-hidden": "true" },
            [0, 0.5, 1].map((part) => h("span", {}, clock(data.from + (data.to - data.from) * part).slice(0, digits)))));
}

function drawing(lines, data, top, index) {
    const x = (time) => ((time - data.from) / (data.to - data.from)) * plotWidth;
    const y = (value) => plotHeight - 2 - (value / top) * (plotHeight - 8);
    const grid = [0, 0.5, 1].map((part) => s("line.grid", { x1: 0, x2: plotWidth, y1: y(top * part), y2: y(top * part) }));
    const paths = lines.flatMap((line) => {
        const { path, area } = pathsOf(line.values, data.time, x, y);
        return [
            lines.length === 1 && s("path.area", { d: area, class: line.class }),
            s("path.line", { d: path, class: line.class }),
        ];
    });
    const mark = plotMoment !== null && index >= 0 &&
        s("line.mark", { x1: x(data.time[index]), x2: x(data.time[index]), y1: 0, y2: plotHeight });
    return [grid, paths, mark];
}

// A line with gaps where nothing is known; a point alone becomes a dash.
function pathsOf(values, times, x, y) {
    let [path, area, start] = ["", "", null];
    const place = (number) => number.toFixed(1);
    for (let index = 0; index <= values.length; index += 1) {
        const value = values[index] ?? null;
        if (value === null) {
            if (start !== null) {
                const last = x(times[index - 1]);
                if (index - start === 1) path += `h1.5`;
                area += `L${place(last)} ${plotHeight}L${place(x(times[start]))} ${plotHeight}Z`;
            }
            start = null;
            continue;
        }
        const point = `${place(x(times[index]))} ${place(y(value))}`;
        path += `${start === null ? "M" : "L"}${point}`;
        area += `${start === null ? "M" : "L"}${point}`;
        start ??= index;
    }
    return { path, area };
}

// The next of 1, 2, 5 times a power of ten; of sizes, that many KiB, MiB.
function niceTop(value, isBinary) {
    if (!(value > 0)) return 1;
    if (isBinary && value > 1024) return 1024 * niceTop(value / 1024, true);
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function shownIndex(data) {
    if (!data.time.length) return -1;
    if (plotMoment === null) return data.time.length - 1;
    let best = 0;
    for (let index = 1; index < data.time.length; index += 1) {
        if (Math.abs(data.time[index] - plotMoment) < Math.abs(data.time[best] - plotMoment)) best = index;
    }
    return best;
}

// Ten bars, one a minute.
function bars(minutes, label) {
    const highest = Math.max(1, ...minutes);
    const width = 10;
    return s("svg.bars", { viewBox: `0 0 ${minutes.length * width} 24`, role: "img", "aria-label": label },
        minutes.map((value, index) => s("rect", {
            x: index * width + 1, width: width - 2, rx: 1, class: value ? "" : "zero",
            y: value ? 24 - Math.max(3, (value / highest) * 24) : 22, height: value ? Math.max(3, (value / highest) * 24) : 2,
        }, s("title", {}, `${count(value)} · ${minutes.length - index - 1} min ago`))));
}

document.addEventListener("pointermove", (event) => {
    const canvas = event.target.closest?.("[data-plot]");
    if (!canvas && plotMoment === null) return;
    const before = plotMoment;
    if (canvas) {
        const box = canvas.getBoundingClientRect();
        const data = shownSpan();
        plotMoment = data.from + ((event.clientX - box.left) / box.width) * (data.to - data.from);
    } else {
        plotMoment = null;
    }
    if (before !== plotMoment) render();
});

// The time that the plots of the view show.
function shownSpan() {
    if (view().name === "object") return { from: now() - remembered * trafficPause, to: now() };
    return { from: server.traffic.time - state.minutes * 60000, to: server.traffic.time };
}
