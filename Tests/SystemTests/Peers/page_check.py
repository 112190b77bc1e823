"""Checks of the status page in Chromium: page_check.py CHECK ADMIN-URL, or `list`. The page is the one that ADMIN-URL answers
with, its header fields included; the objects and traffic that it shows are those of page_standin.py."""

import sys
import urllib.parse
import urllib.request

import browser
import page_standin
from page_rules import CONTRAST, NAMED_ROLES, OVERFLOW

checks = {}


def check(function):
    checks[function.__name__] = function
    return function


def rows(tab, text=""):
    items = "[...document.querySelectorAll('[role=treeitem]')]"
    return tab.evaluate(f"{items}.filter((each) => each.ariaLabel.includes('{text}')).length")


def go(tab, admin, place=""):
    tab.open("about:blank")
    tab.open(f"{admin.url}#/{place}")
    tab.wait("document.querySelector('main').children.length > 0 && !document.querySelector('main .loading')")


VIEWS = ["", "routes", "connections", "certificates", "history", "object/TLSRoute%20infra%2Fledger",
         "object/Service%20infra%2Fredis%3A6379", "object/listener%20infra%2Fedge%2Fredis", "object/Gateway%20staging%2Flab",
         "object/Secret%20infra%2Fdb-tls"]


@check
def overview(tab, admin):
    go(tab, admin)
    for text in ["2 problems to solve", "3 of 4 listeners bound", "Version", "0.4.0", "cluster production", "Leader"]:
        tab.wait_text(text)
    # Problems: the worst first, with reason, message, what to do, and a link to the object.
    first = tab.evaluate("document.querySelector('#problems li').innerText")
    assert "TLSRoute infra/ledger" in first and "RefNotPermitted" in first and "no ReferenceGrant" in first, first
    tab.wait_text("Create a ReferenceGrant in namespace payments")
    tab.wait_text("port 5671 is in use by rabbitmq (pid 812)")
    tab.wait_text("1 of 3 endpoints gets no connections")
    tab.wait_text("ExpiresSoon")
    # Refusals, with their words and the number of each minute.
    refused = tab.evaluate("document.querySelector('#refusals li').innerText")
    assert "invalid_backend" in refused and "cannot be resolved" in refused and "63" in refused, refused
    assert tab.evaluate("document.querySelectorAll('#refusals li')[0].querySelectorAll('rect').length") == 10
    # Plots: four of them, each with a line of at least a hundred points, which say their values in words too.
    lines = tab.evaluate(
        "[...document.querySelectorAll('.plot path.line')].map((each) => each.getAttribute('d').split('L').length)")
    assert len(lines) == 5 and all(points > 100 for points in lines), lines
    words = tab.evaluate("[...document.querySelectorAll('.plot svg')].map((each) => each.getAttribute('aria-label'))")
    assert words[3].startswith("Added latency: mean: ") and "µs" in words[3], words
    tab.click("button", "1 min")
    tab.wait("document.querySelector('.plot path.line').getAttribute('d').split('L').length <= 61")
    tab.click("#problems a", "TLSRoute infra/ledger")
    tab.wait_text("What is wrong")


@check
def tree(tab, admin):
    go(tab, admin, "routes")
    assert rows(tab, "Gateway ") == 2 and rows(tab, "TLSRoute ") == 3, rows(tab)
    # By keys alone: down to the listener and the route, and open it.
    tab.evaluate("document.querySelector('[role=treeitem]').focus()")
    for _ in range(2):
        tab.key("ArrowDown")
    assert tab.evaluate("document.activeElement.ariaLabel") == "TCPRoute infra/redis"
    tab.key("ArrowRight")
    tab.wait("document.activeElement.ariaExpanded === 'true'")
    tab.key("ArrowDown")
    assert tab.evaluate("document.activeElement.ariaLabel") == "Service infra/redis:6379"
    tab.key("ArrowRight")
    tab.wait_text("step 3: expected +PONG")
    assert rows(tab, "endpoint ") == 3
    tab.key("ArrowLeft")
    tab.key("ArrowLeft")
    assert tab.evaluate("document.activeElement.ariaLabel") == "TCPRoute infra/redis"
    # By the mouse, and rates come for what is on the screen.
    tab.click("[role=treeitem]", "TLSRoute infra/orders")
    tab.wait_text("fallback")
    tab.wait("/\\d\\/s/.test(document.querySelector('.tree').innerText)")
    tab.wait("document.querySelector('.tree').innerText.includes('MiB/s')")
    assert any("route=TCPRoute%20infra%2Fredis" in path for _, path in admin.requests)
    # Search by the key that leads there, then only what is to be looked at.
    tab.evaluate("document.activeElement.blur()")
    tab.key("/")
    tab.type("mqtt.example")
    tab.wait("document.querySelectorAll('[role=treeitem]').length <= 4")
    assert rows(tab, "TLSRoute infra/devices") == 1 and rows(tab, "TCPRoute") == 0
    tab.wait_text("1 of 5 routes")
    go(tab, admin, "routes?show=problems")
    assert rows(tab, "TLSRoute infra/ledger") == 1 and rows(tab, "TLSRoute infra/devices") == 0
    tab.evaluate("document.querySelector('[role=treeitem]').focus()")
    tab.key("Enter")
    tab.wait("location.hash.startsWith('#/object/Gateway')")


@check
def details(tab, admin):
    go(tab, admin, "object/TLSRoute%20infra%2Fledger")
    tab.wait("document.querySelectorAll('.chain li').length === 4")
    verdicts = tab.evaluate("[...document.querySelectorAll('.chain li .hidden')].map((each) => each.textContent)")
    assert verdicts == ["OK", "OK", "OK", "Problem"], verdicts
    for text in ["spec.rules[0].backendRefs[0]", "BackendPolicy.retry.numRetries", "default", "ResolvedRefs: False",
                 "ledger.db.example.com"]:
        tab.wait_text(text)
    assert any(path == "/explain?kind=TLSRoute&namespace=infra&name=ledger" for _, path in admin.requests)
    tab.click("a", "its connections")
    tab.wait("document.querySelector('input')?.value === 'route:\"TLSRoute infra/ledger\"'")
    tab.wait_text("No open connection matches.")
    go(tab, admin, "object/Service%20infra%2Fredis%3A6379")
    tab.wait_text("10.0.1.23:6379")
    tab.wait("document.querySelectorAll('.plot path.line').length === 2")
    go(tab, admin, "object/TCPRoute%20infra%2Fgone")
    tab.wait_text("knows no such object")
    go(tab, admin, "certificates")
    dates = tab.evaluate("[...document.querySelectorAll('tbody tr')].map((each) => each.innerText)")
    assert len(dates) == 3 and "in 9 d" in dates[0] and "Secret infra/db-tls" in dates[0], dates
    go(tab, admin, "history")
    steps = tab.evaluate("[...document.querySelectorAll('.history li.card')].map((each) => each.innerText)")
    assert len(steps) == 3 and "Generation 42" in steps[0] and "4.10 ms" in steps[0] and "3 endpoints" in steps[0], steps
    # A new configuration is seen soon, without being asked for.
    step = {"generation": 43, "appliedAt": admin.history[0]["appliedAt"] + 9, "milliseconds": 2.5}
    admin.history = [step | {"changes": ["+ TCPRoute infra/new"]}, *admin.history]
    admin.status = admin.status | {"generation": 43}
    tab.wait_text("+ TCPRoute infra/new", 8)


@check
def connections(tab, admin):
    go(tab, admin, "connections")
    tab.wait_text("137 open")
    assert tab.evaluate("document.querySelectorAll('tbody tr').length") == 50
    tab.click("button", "Next")
    tab.wait_text("51–100 of 137")
    tab.click("th button", "Out")
    tab.click("th button", "Out")
    tab.wait("document.querySelectorAll('th')[9].ariaSort === 'descending'")
    tab.click("button", "Previous")
    largest = max(admin.connections, key=lambda each: each["responseBytes"])
    tab.wait(f"document.querySelector('tbody tr').innerText.includes('{largest['client']}')")
    # A filter by field is asked of the server, a word is looked for in what came.
    tab.evaluate("document.querySelector('input').focus()")
    tab.type("state:connecting")
    tab.wait_text("16 open")
    tab.type(" 198.51.100.9:")
    tab.wait("document.querySelectorAll('tbody tr').length === 1")
    # A field that the gateway does not know is said to be one, and disturbs nothing else.
    go(tab, admin, "connections?q=colour%3Ared")
    tab.wait_text("'colour' is no field of connections")
    tab.wait_text("Live")
    tab.take_faults()
    go(tab, admin, "connections?q=state%3Aconnecting+198.51.100.9%3A")
    tab.wait("document.querySelectorAll('tbody tr').length === 1")
    # Closing asks first; nothing is closed by looking away.
    before = len(admin.connections)
    tab.click("tbody button", "Close")
    tab.wait_text("Close this connection?")
    tab.key("Escape")
    tab.wait("!document.querySelector('dialog').open")
    assert len(admin.connections) == before and not admin.closed
    tab.click("tbody button", "Close")
    tab.click("dialog button", "Close")
    tab.wait_text("1 connection closed.")
    assert [each["client"] for each in admin.closed] == ["198.51.100.9:40009"], admin.closed
    # All that match a filter.
    go(tab, admin, "connections?q=state%3Aconnecting")
    tab.click("button", "Close these 15")
    tab.wait_text("All that match state:connecting: 15 connections")
    tab.click("dialog button", "Close")
    tab.wait_text("15 connections closed.")
    assert len(admin.closed) == 16 and len(admin.connections) == 121
    tab.wait_text("No open connection matches.")


@check
def names(tab, admin):
    """Whatever can be operated has a name, in every view, and there is one heading of the first level."""
    for place in VIEWS:
        go(tab, admin, place)
        nodes = tab.tree()
        operable = [node for node in nodes if node["role"]["value"] in NAMED_ROLES]
        assert len(operable) > 8, (place, len(operable))
        nameless = [node["role"]["value"] for node in operable if not node.get("name", {}).get("value", "").strip()]
        assert not nameless, (place, nameless)
        headings = tab.evaluate("document.querySelectorAll('h1').length")
        assert headings == 1, (place, headings)
    # The tab key leads through it, beginning with the way past the navigation.
    go(tab, admin)
    reached = []
    for _ in range(12):
        tab.key("Tab")
        name = "(document.activeElement.ariaLabel ?? document.activeElement.innerText)"
        reached.append(tab.evaluate(f"{name}.trim().split('\\n')[0]"))
    assert reached[0] == "Skip to the content" and "Routes" in reached and "Pause" in reached, reached


@check
def phone(tab, admin):
    for width in [360, 768]:
        tab.resize(width, 740, 2, mobile=True)
        for place in VIEWS:
            go(tab, admin, place)
            wide = tab.evaluate(OVERFLOW)
            assert not wide, (width, place, wide)


@check
def schemes(tab, admin):
    grounds = []
    for scheme in ["light", "dark"]:
        tab.scheme(scheme)
        for place in VIEWS:
            go(tab, admin, place)
            faint = tab.evaluate(CONTRAST)
            assert not faint, (scheme, place, faint)
        grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1], grounds


@check
def hostile(tab, admin):
    """Names and messages that are markup are shown as they are, and do nothing."""
    evil = "\"'><img src=x onerror=\"window.owned=1\"><script>window.owned=1</script></style><svg/onload=window.owned=1>{{nonce}}"
    admin.status = page_standin.base_status() | {
        "version": evil, "source": evil, "sourceDetail": evil, "warnings": [evil],
        "gateways": [{"namespace": evil, "name": "g", "addresses": [evil],
                      "conditions": [page_standin.condition(evil, evil, evil, evil, True)],
                      "listeners": [page_standin.listener("l", 1, evil, [f"TCPRoute infra/{evil}"], evil, evil)]}],
        "routes": [page_standin.route("TCPRoute", evil, [(f"Service infra/{evil}:1", 1, False, True)], [evil])],
        "backends": [page_standin.backend(evil, 1, [(evil, "unhealthy", evil, evil)])],
        "policies": [{"kind": "ClientPolicy", "namespace": evil, "name": evil, "targets": [evil], "ancestors": []}],
        "certificates": [{"object": evil, "usage": evil, "usedBy": [evil], "names": [evil], "notAfter": 1}]}
    admin.history = [{"generation": 1, "appliedAt": 1, "milliseconds": 1.0, "changes": [evil]}]
    admin.refusals = [{"reason": evil, "place": evil, "minutes": [1] * 10, "meaning": evil, "advice": evil}]
    texts = ["state", "listener", "route", "backend", "endpoint", "client", "peer", "serverName", "alpn"]
    numbers = ["port", "ageMilliseconds", "idleMilliseconds", "requestBytes", "responseBytes"]
    admin.connections = [dict.fromkeys(texts, evil) | dict.fromkeys(numbers, 1) | {"id": "1"}]
    admin.explain = lambda _: {
        "object": evil, "values": [{"field": evil, "value": evil, "source": evil}],
        "links": [{"verdict": "broken", "object": evil, "field": evil, "cause": evil, "message": evil, "advice": evil,
                   "depth": 0}]}
    places = ["", "routes", "connections", "certificates", "history", "object/javascript%3Aalert(1)"]
    for key in [f"Gateway {evil}/g", f"listener {evil}/g/l", f"TCPRoute infra/{evil}", f"Service infra/{evil}:1",
                f"ClientPolicy {evil}/{evil}"]:
        places.append("object/" + urllib.parse.quote(key, safe=""))
    for place in places:
        go(tab, admin, place)
        if place == "routes":
            tab.click("button", "Open all")
        if not place.startswith("object/java"):
            tab.wait_text("<script>window.owned=1</script>")
        assert tab.evaluate("window.owned") is None, place
        made = "document.querySelectorAll('main img, main script, main style, [onload], [onerror]').length"
        assert tab.evaluate(made) == 0, place
        # Every address on the page is one of its own views.
        links = tab.evaluate("[...document.querySelectorAll('main a')].map((each) => each.getAttribute('href'))")
        assert all(link.startswith("#/") for link in links), links
    go(tab, admin, "connections")
    tab.click("tbody button", "Close")
    tab.wait_text("Close this connection?")
    assert tab.evaluate("window.owned") is None
    assert tab.take_faults() == []
    # What the page's policy forbids even to the page itself; each try is a fault in the console.
    script = "(() => { try { document.body.innerHTML = '<p>x'; return 'set'; } catch (error) { return error.name; } })()"
    assert tab.evaluate(script) == "TypeError"
    assert tab.evaluate("fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')") == "refused"
    hiding = "Object.assign(document.createElement('style'), { textContent: 'body { display: none }' })"
    tab.evaluate(f"document.body.append({hiding})")
    assert tab.evaluate("getComputedStyle(document.body).display") == "block"
    assert len(tab.take_faults()) >= 3


@check
def many(tab, admin):
    """Five thousand routes: few elements, quick to search, and what did not change is not fetched again."""
    admin.status = page_standin.many_status(5000)
    go(tab, admin, "routes")
    tab.wait_text("5,000 routes")
    tab.click("[role=treeitem]", "listener infra/edge/tls")
    tab.wait_text("1–50 of 5,000")
    assert tab.evaluate("document.querySelectorAll('*').length") < 2500
    tab.click("button", "Next")
    tab.wait("[...document.querySelectorAll('[role=treeitem]')].some((each) => each.ariaLabel === 'TLSRoute infra/route-0050')")
    tab.click("input")
    tab.type("4711.example")
    tab.wait_text("1 of 5,000 routes")
    assert rows(tab, "route-4711") == 1
    tab.evaluate("state.search = 'route-4'")
    took = tab.evaluate("(() => { const start = performance.now(); render(); return performance.now() - start; })()")
    print(f"a search of 5,000 routes takes {took:.0f} ms", flush=True)
    go(tab, admin)
    tab.wait_text("5,000")
    start = len(admin.requests)
    tab.wait("performance.now() > 12000")
    asked = [path.split("?")[0] for _, path in admin.requests[start:]]
    assert asked.count("/traffic") >= 3 and asked.count("/status") <= 2, asked


@check
def gone(tab, admin):
    """It says so when the server is gone, shows what it knew, and goes on by itself once it is back."""
    go(tab, admin)
    tab.wait_text("Live")
    port = admin.server_address[1]
    admin.stop()
    tab.wait_text("The gateway does not answer since", 30)
    tab.wait_text("No answer")
    tab.wait_text("2 problems to solve")
    tab.click("nav a", "Certificates")
    tab.wait_text("Secret infra/db-tls")
    tab.take_faults()
    back = page_standin.StandIn(admin.page, port)
    back.status["version"] = "0.5.0"
    tab.wait("!document.body.innerText.includes('does not answer')", 30)
    # Another version may answer otherwise than this page expects.
    back.status["generation"] = 43
    tab.wait_text("runs version 0.5.0 now", 45)
    tab.take_faults()
    # Nobody looks, so nothing is asked.
    tab.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true }); 1")
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait("!isAsking")
    asked = len(back.requests)
    tab.evaluate("new Promise((done) => setTimeout(done, 3 * trafficPause))")
    assert len(back.requests) == asked
    tab.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); 1")
    tab.wait("isAsking || server.traffic.time > 0")
    tab.evaluate("new Promise((done) => setTimeout(done, 2 * trafficPause))")
    assert len(back.requests) > asked
    # That the server was gone is in the console too. It stays until the page is left, which goes on asking.
    tab.faults = [fault for fault in tab.take_faults() if not fault.startswith("network: ")]


def served_page(url):
    """The page and the header fields that it came with, each time anew."""
    def page():
        with urllib.request.urlopen(url) as answer:
            own = ("Content-Length", "Connection", "Date")
            return {name: value for name, value in answer.headers.items() if name not in own}, answer.read()
    return page


def main():
    name, *rest = sys.argv[1:]
    if name == "list":
        print("\n".join(checks))
        return
    admin, tab = page_standin.StandIn(served_page(rest[0])), browser.Browser()
    try:
        checks[name](tab, admin)
        faults = tab.take_faults()
        assert faults == [], faults
        print(f"ok {name}")
    finally:
        tab.close()


if __name__ == "__main__":
    main()
