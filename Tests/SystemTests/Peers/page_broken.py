"""What the status page says of set-ups where something is wrong, in one Chromium: page_broken.py [NAME ADMIN-URL ROUTE CAUSE
WORDS]… An empty CAUSE: what is wrong has words alone. Each gateway has turned one connection away, unless nothing listens."""

import re
import sys
import urllib.parse

import browser
from page_check import go
from page_live import Gateway


def steady(text):
    """Without the ports of a health check's connections, another one each second."""
    return re.sub(r"(127\.0\.0\.1):\d+", r"\1", text)


def texts(tab, selector):
    """What is seen of each element: the text, and the names that are marked in it."""
    return tab.evaluate(
        f"[...document.querySelectorAll('{selector}')].map((each) => ({{text: each.innerText, "
        "names: [...each.querySelectorAll('.reason, .badge, code')].map((name) => name.textContent)}))")


def overview(tab, gateway, route, cause, words):
    """The card of refused connections; whatever else is wrong stands among the problems."""
    refusal = next(each for each in gateway.refusals() if each["reason"] == cause)
    assert refusal["meaning"] == words and sum(refusal["minutes"]) == 1, refusal
    go(tab, gateway)
    tab.wait(f"document.querySelector('#refusals .reason')?.textContent === '{cause}'")
    shown = texts(tab, "#refusals li")
    assert len(shown) == 1 and words in shown[0]["text"] and refusal["advice"] in shown[0]["text"], shown


def chain(tab, gateway, route, cause, words):
    """Why the route does not serve: each link that `explain` has is seen, and one has the cause and its words."""
    kind, name = route.split(" ")
    namespace, name = name.split("/")
    links = gateway.get(f"explain?kind={kind}&namespace={namespace}&name={name}")["links"]
    wrong = [link for link in links if link["verdict"] != "good"]
    go(tab, gateway, "object/" + urllib.parse.quote(route, safe=""))
    tab.wait(f"document.querySelectorAll('.chain li').length === {len(links)}")
    shown = texts(tab, ".chain li.bad, .chain li.warning")
    assert len(shown) == len(wrong) > 0, (shown, wrong)
    for link, seen in zip(wrong, shown):
        for text in [link["object"], link["message"], link.get("advice", "")]:
            assert steady(text) in steady(seen["text"]), (text, seen)
        for marked in [link.get("cause"), link.get("field")]:
            assert marked is None or marked in seen["names"], (marked, seen)
    assert any(words in seen["text"] and (not cause or cause in seen["names"]) for seen in shown), shown


def younger_policy(tab, gateway):
    """The policy that does not hold is a problem of its own."""
    go(tab, gateway)
    tab.wait_text("ClientPolicy infra/b-younger")
    problem = next(each["text"] for each in texts(tab, "#problems li") if "b-younger" in each["text"])
    assert "Conflicted" in problem and "Gateway infra/edge has the older ClientPolicy infra/a-older" in problem, problem


def main():
    rest = sys.argv[1:]
    setups = [rest[index:index + 5] for index in range(0, len(rest), 5)]
    tab = browser.Browser()
    try:
        for name, url, route, cause, words in setups:
            print(name, flush=True)
            gateway = Gateway(url)
            # The names of CloseReason are in small letters, those of conditions are not.
            if cause and cause.islower():
                overview(tab, gateway, route, cause, words)
            chain(tab, gateway, route, cause, words)
            if name == "policy-conflict":
                younger_policy(tab, gateway)
            faults = tab.take_faults()
            assert faults == [], faults
        print(f"ok {len(setups)} of examples/broken")
    finally:
        tab.close()


if __name__ == "__main__":
    main()
