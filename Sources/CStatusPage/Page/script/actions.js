// What people do: one listener for clicks, one for typing, one for keys.

const actions = {
    skip: (_, event) => {
        event.preventDefault();
        document.getElementById("main").focus();
    },
    pause: () => {
        server.isPaused = !server.isPaused;
        render();
        poll();
    },
    reload: () => location.reload(),
    page: ({ dataset }) => show(() => state.pages.set(dataset.list, Number(dataset.page))),
    choose: ({ dataset }) => show(() => {
        if (dataset.name === "minutes") state.minutes = Number(dataset.value);
        else state[dataset.name] = dataset.value;
        state.pages.clear();
    }),
    sort: ({ dataset }) => show(() => {
        const isSame = state.sort.field === dataset.field;
        state.sort = { field: dataset.field, isDescending: isSame ? !state.sort.isDescending : false };
        state.pages.clear();
        poll();
    }),
    toggle: (row, event) => {
        if (!event.target.closest("a, button")) toggle(row);
    },
    openAll: () => show(() => openAll(true)),
    closeAll: () => show(() => openAll(false)),
    field: ({ dataset }) => {
        const field = document.querySelector("input[type=search]");
        field.value = `${field.value.trim()} ${dataset.field}:`.trim();
        field.focus();
    },
    close: ({ dataset }) => {
        const found = server.connections.connections.find((each) => String(each.id) === dataset.id);
        if (!found) return;
        const where = [found.route ?? found.listener, found.endpoint].filter(Boolean).join(" to ");
        const query = String(new URLSearchParams([["id", found.id]]));
        confirmClose(query, "Close this connection?", [found.client, where].filter(Boolean).join(", "));
    },
    closeMatching: () => {
        const { filters, words } = parsedSearch();
        const written = filters.map(([field, value]) => `${field}:${value}`).join(" ");
        const all = `All that match ${written}: ${counted(server.connections.total, "connection")} when last looked.`;
        const beyond = words.length ? ` The words “${words.join(" ")}” only narrow what is shown, not what is closed.` : "";
        confirmClose(String(new URLSearchParams(filters)), "Close these connections?", all + beyond);
    },
    dismiss: () => document.getElementById("dialog").close(),
    confirmClose: (control) => closeConfirmed(control),
};

function show(change) {
    change();
    render();
}

function toggle(row, isOpened = row.getAttribute("aria-expanded") !== "true") {
    state.current = row.dataset.key;
    show(() => state.opened.set(row.dataset.key, isOpened));
}

document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-action]");
    if (control && !control.disabled) actions[control.dataset.action]?.(control, event);
});

let typing = null;

document.addEventListener("input", (event) => {
    if (event.target.dataset.action !== "search") return;
    state.search = event.target.value;
    state.pages.clear();
    clearTimeout(typing);
    typing = setTimeout(() => {
        render();
        if (view().name === "connections") poll();
    }, 120);
});

document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !event.target.closest("input")) {
        const field = document.querySelector("input[type=search]");
        if (!field) return;
        event.preventDefault();
        field.focus();
        return;
    }
    const row = event.target.closest?.("[role=treeitem]");
    if (row && row === event.target) moveInTree(row, event);
});

// The keys of a tree, as ARIA's practices have them.
function moveInTree(row, event) {
    const rows = [...document.querySelectorAll("[role=treeitem]")];
    const index = rows.indexOf(row);
    const depth = Number(row.ariaLevel);
    const opened = row.getAttribute("aria-expanded");
    const parent = () => rows.slice(0, index).findLast((each) => Number(each.ariaLevel) < depth);
    const go = (target) => {
        if (!target) return;
        state.current = target.dataset.key;
        rows.forEach((each) => each.setAttribute("tabindex", each === target ? "0" : "-1"));
        target.focus();
    };
    const keys = {
        ArrowDown: () => go(rows[index + 1]),
        ArrowUp: () => go(rows[index - 1]),
        Home: () => go(rows[0]),
        End: () => go(rows.at(-1)),
        ArrowRight: () => (opened === "false" ? toggle(row, true) : opened === "true" && go(rows[index + 1])),
        ArrowLeft: () => (opened === "true" ? toggle(row, false) : go(parent())),
        Enter: () => row.querySelector("a")?.click(),
        " ": () => opened !== null && toggle(row),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
}

navigated();
