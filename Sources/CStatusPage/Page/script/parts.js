// Parts that several views share.

const levelNames = { good: "OK", warning: "Attention", bad: "Problem" };

// How something stands: colour, shape and words, so that no one of them is needed.
function mark(level, text = levelNames[level]) {
    return h("span.mark", { class: level, title: text }, icon(level), h("span.hidden", {}, text));
}

function badge(text, level = "plain", title) {
    return h("span.badge", { class: level, title }, text);
}

function card(title, attributes, ...children) {
    const { aside, ...rest } = attributes;
    return h("section.card", { "aria-label": title, ...rest },
        h("header", {}, h("h2", {}, title), aside && h("div.aside", {}, aside)), children);
}

function nothing(text, level = "good") {
    return h("p.nothing", {}, level && icon(level, level), text);
}

function objectLink(object, text = object) {
    return h("a", { href: hrefOf(object) }, text);
}

// An object's kind in grey and its name, as one link.
function namedLink(object) {
    const { kind, rest } = partsOf(object);
    return h("a.object", { href: hrefOf(object) }, h("span.kind", {}, kind), " ", h("span.name", {}, rest));
}

function button(text, action, attributes = {}, symbol = null) {
    return h("button", { type: "button", "data-action": action, ...attributes }, symbol && icon(symbol), text);
}

const pageSize = 50;

// What of a list is shown, and the buttons that turn its pages: never thousands of rows at once.
function paged(name, list) {
    const last = Math.max(0, Math.ceil(list.length / pageSize) - 1);
    const page = Math.min(state.pages.get(name) ?? 0, last);
    const first = page * pageSize;
    const turn = list.length > pageSize && h("div.pager", { "data-key": `pager ${name}`, role: "group", "aria-label": "Pages" },
        button("Previous", "page", { "data-list": name, "data-page": page - 1, disabled: page === 0 }, "back"),
        h("span", {}, `${count(first + 1)}–${count(Math.min(list.length, first + pageSize))} of ${count(list.length)}`),
        button("Next", "page", { "data-list": name, "data-page": page + 1, disabled: page === last }, "open"));
    return { shown: list.slice(first, first + pageSize), turn };
}

function searchField(value, label, placeholder) {
    return h("label.search", {}, icon("search"), h("span.hidden", {}, label),
        h("input", {
            type: "search", "data-action": "search", value, placeholder, spellcheck: "false", autocomplete: "off",
            "aria-label": label, "aria-keyshortcuts": "/",
        }));
}

function choice(label, name, options, chosen) {
    return h("div.choice", { role: "group", "aria-label": label }, options.map(([value, text]) =>
        button(text, "choose", { "data-name": name, "data-value": value, "aria-pressed": String(value === chosen) })));
}

// Names with their values; those without one are left out.
function factList(name, facts) {
    const known = facts.filter(([, value]) => value);
    return h(`dl.${name}`, {}, known.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

// A table whose head may sort it. `columns`: [{name, field, class, cell}].
function table(label, columns, rows, { sort, keyOf: key }) {
    return h("div.scroll", { tabindex: "0", role: "region", "aria-label": label },
        h("table", {}, h("thead", {}, h("tr", {}, columns.map((column) => headCell(column, sort)))),
            h("tbody", {}, rows.map((row) => h("tr", { "data-key": key(row) }, columns.map((column) =>
                h("td", { class: column.class, "data-label": column.name }, h("div", {}, column.cell(row)))))))));
}

function headCell(column, sort) {
    const headClass = column.class === "number" ? "number" : null;
    if (!sort || !column.field) {
        return h("th", { scope: "col", class: headClass }, column.name || h("span.hidden", {}, "Actions"));
    }
    const isSorted = sort.field === column.field;
    const direction = isSorted ? (sort.isDescending ? "descending" : "ascending") : "none";
    return h("th", { scope: "col", class: headClass, "aria-sort": direction },
        button(column.name, "sort", { "data-field": column.field, class: isSorted ? "sorted" : "" },
            isSorted ? (sort.isDescending ? "down" : "up") : null));
}

function conditionRows(conditions) {
    return conditions.map((condition) => h("li.condition", { class: condition.isProblem ? "bad" : "" },
        mark(condition.isProblem ? "bad" : "good", condition.isProblem ? "Problem" : "OK"),
        h("div", {},
            h("b", {}, `${condition.type}: ${condition.status}`), " ",
            badge(condition.reason, condition.isProblem ? "bad" : "plain"),
            condition.since && h("span.quiet", { title: moment(condition.since * 1000) }, ` ${ago(condition.since * 1000, now())}`),
            condition.message && h("p", {}, condition.message))));
}
