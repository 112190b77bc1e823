"""The status page as the gateway itself feeds it, in Chromium: page_live.py CHECK ADMIN-URL [PORT…]."""

import json
import socket
import sys
import time
import urllib.request

import browser
from page_check import go, rows


class Gateway:
    def __init__(self, url):
        self.url = url

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    def refusals(self):
        """Those that the gateway tells of, once it does: it counts them once a second."""
        deadline = time.monotonic() + 30
        while not (found := self.get("traffic")["refusals"]):
            assert time.monotonic() < deadline, "no refusal is told"
            time.sleep(0.05)
        return found


def served(tab, gateway, port, broken):
    """A route that serves, one whose Service is missing, and connections of our own, one of which the page closes."""
    clients = [socket.create_connection(("127.0.0.1", int(port)), 10) for _ in range(3)]
    for client in clients:
        assert b"backend" in client.recv(1000)
    go(tab, gateway)
    tab.wait_text("1 problem to solve")
    problem = tab.evaluate("document.querySelector('#problems li').innerText")
    assert "TCPRoute default/broken" in problem and "BackendNotFound" in problem, problem
    # What to do, in the words of `sluice explain`.
    said = gateway.get("explain?kind=TCPRoute&namespace=default&name=broken")
    wrong = next(link for link in said["links"] if link["verdict"] == "broken")
    tab.wait_text(wrong["advice"])
    tab.wait("document.querySelector('.tile .figure').textContent === '3'")
    # A refused connection appears with its meaning within two looks or so.
    try:
        with socket.create_connection(("127.0.0.1", int(broken)), 10) as refused:
            assert refused.recv(10) == b""
    except ConnectionResetError:
        pass
    refusal = gateway.refusals()[0]
    assert refusal["reason"] == "invalid_backend", refusal
    tab.wait_text(refusal["meaning"], 30)
    go(tab, gateway, "routes")
    tab.wait("document.querySelectorAll('[role=treeitem]').length >= 5")
    assert rows(tab, "TCPRoute default/web") == 1, rows(tab)
    tab.click("[role=treeitem]", "TCPRoute default/web")
    tab.wait_text("1 of 1 endpoint usable")
    go(tab, gateway, "object/TCPRoute%20default%2Fweb")
    tab.wait("document.querySelectorAll('.chain li').length >= 3")
    tab.wait("document.querySelectorAll('.chain li.bad').length === 0")
    go(tab, gateway, "history")
    tab.wait_text("TCPRoute default/web")
    close_one(tab, gateway, clients)
    for client in clients:
        client.close()


def close_one(tab, gateway, clients):
    """The page closes one of three connections, and no other."""
    mine = "%s:%s" % clients[1].getsockname()
    go(tab, gateway, "connections?q=client%3A" + mine.replace(":", "%3A"))
    tab.wait("document.querySelectorAll('tbody tr').length === 1")
    tab.click("tbody button", "Close")
    tab.click("dialog button", "Close")
    tab.wait_text("1 connection closed.")
    clients[1].settimeout(10)
    assert clients[1].recv(10) == b""
    go(tab, gateway, "connections")
    tab.wait_text("2 open")
    for client in clients:
        client.close()
    tab.wait_text("No connection is open.", 30)


def many(tab, gateway):
    """Five thousand routes of the gateway's own."""
    start = time.monotonic()
    size = len(json.dumps(gateway.get("status")))
    print(f"/status of 5,000 routes: {size >> 10} KiB in {1000 * (time.monotonic() - start):.0f} ms", flush=True)
    go(tab, gateway, "routes")
    tab.wait_text("5,000 routes", 60)
    tab.click("[role=treeitem]", "listener default/gw/web")
    tab.wait_text("1–50 of 5,000")
    assert tab.evaluate("document.querySelectorAll('*').length") < 2500
    tab.click("input")
    tab.type("r4711.example.com")
    tab.wait_text("1 of 5,000 routes")
    assert rows(tab, "TLSRoute default/r4711") == 1
    tab.evaluate("document.activeElement.blur()")
    tab.evaluate("document.querySelector('[role=treeitem] a[href*=r4711]').click()")
    tab.wait("document.querySelectorAll('.chain li').length >= 3", 60)
    go(tab, gateway)
    tab.wait_text("1 of 1 listener bound", 60)


def main():
    name, url, *rest = sys.argv[1:]
    tab = browser.Browser()
    try:
        gateway = Gateway(url)
        {"served": served, "many": many}[name](tab, gateway, *rest)
        faults = tab.take_faults()
        assert faults == [], faults
        print(f"ok {name}")
    finally:
        tab.close()


if __name__ == "__main__":
    main()
