"use strict";

// Elements are made here and nowhere else. What comes from the gateway becomes text or the value of an attribute, never
// markup: there is no innerHTML in this page, and the Content-Security-Policy forbids it.

// An element: `tag.class.class`, attributes, children (nodes, text, lists of them; null, false and undefined are left out).
function h(name, attributes, ...children) {
    return filled(document.createElement(name.split(".")[0]), name, attributes, children);
}

// The same for SVG.
function s(name, attributes, ...children) {
    return filled(document.createElementNS("http://www.w3.org/2000/svg", name.split(".")[0]), name, attributes, children);
}

function filled(element, name, attributes, children) {
    const classes = name.split(".").slice(1);
    if (classes.length) element.setAttribute("class", classes.join(" "));
    for (const [key, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        if (key === "class") element.setAttribute("class", [...classes, value].join(" ").trim());
        else element.setAttribute(key, value === true ? "" : String(value));
    }
    append(element, children);
    return element;
}

function append(element, children) {
    for (const child of children) {
        if (child === null || child === undefined || child === false) continue;
        if (Array.isArray(child)) append(element, child);
        else element.append(child instanceof Node ? child : String(child));
    }
}

// Makes the children of `parent` what `wanted` says, by changing those that are there: what has the focus keeps it, and
// nothing flickers. Elements with `data-key` are told apart by it.
function morph(parent, ...wanted) {
    const fragment = document.createDocumentFragment();
    append(fragment, wanted);
    morphChildren(parent, fragment);
}

function morphChildren(parent, source) {
    const byKey = new Map();
    for (const child of parent.childNodes) if (keyOf(child) !== null) byKey.set(keyOf(child), child);
    let current = parent.firstChild;
    for (const node of [...source.childNodes]) {
        const key = keyOf(node);
        const match = key !== null ? byKey.get(key) : current && keyOf(current) === null ? current : null;
        if (match && isAlike(match, node)) {
            byKey.delete(key);
            if (match === current) current = current.nextSibling;
            else parent.insertBefore(match, current);
            morphNode(match, node);
        } else {
            parent.insertBefore(node, current);
        }
    }
    while (current) {
        const next = current.nextSibling;
        current.remove();
        current = next;
    }
}

function morphNode(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
        if (old.data !== fresh.data) old.data = fresh.data;
        return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
        if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    // What was typed or chosen stands, unless nobody is at it.
    if (old.tagName === "INPUT" && document.activeElement !== old && old.value !== (fresh.getAttribute("value") ?? "")) {
        old.value = fresh.getAttribute("value") ?? "";
    }
    morphChildren(old, fresh);
}

function keyOf(node) {
    return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function isAlike(old, fresh) {
    return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName;
}

// Small line icons of 16 pixels; decoration, so hidden from assistive technology.
const iconPaths = {
    good: "M3.5 8.5l3 3 6-7",
    bad: "M4 4l8 8M12 4l-8 8",
    warning: "M8 4.5v4.2M8 11.2v.3",
    none: "M5 8h6",
    open: "M6 4l4 4-4 4",
    sort: "M5 10l3 3 3-3",
    up: "M5 9l3-3 3 3",
    down: "M5 7l3 3 3-3",
    back: "M10 4L6 8l4 4",
    search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4L14 14",
    pause: "M5.5 4v8M10.5 4v8",
    play: "M5.5 3.8v8.4L12 8z",
};

function icon(name, classes = "") {
    return s("svg.icon", { viewBox: "0 0 16 16", "aria-hidden": "true", class: classes }, s("path", { d: iconPaths[name] }));
}
