"""The status page as the gateway itself feeds it, in Chromium: page_live.py CHECK ADMIN-URL [PORT…]."""

import json
import socket
import ssl
import sys
import time
import urllib.parse
import urllib.request

import browser
from page_check import go, rows


class Gateway:
    def __init__(self, url):
        self.url = url

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)


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
    tab.wait_text("invalid_backend", 30)
    meaning = gateway.get("traffic")["refusals"][0]["meaning"]
    tab.wait_text(meaning)
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


def broken(tab, gateway, cause, port, greeting):
    """One of examples/broken: the page names its cause, in the words of the gateway, and says what to do.

    `greeting`: what a client does to be refused: `none`, `plain`, or the name that it asks for by TLS."""
    route = gateway.get("status")["routes"][0]
    key = f"{route['kind']} {route['namespace']}/{route['name']}"
    said = gateway.get(f"explain?kind={route['kind']}&namespace={route['namespace']}&name={route['name']}")
    links = [link for link in said["links"] if link["verdict"] != "good"]
    if greeting != "none":
        refuse(int(port), greeting)
        go(tab, gateway)
        tab.wait(f"[...document.querySelectorAll('#refusals .reason')].some((each) => each.textContent === '{cause}')", 40)
        refusal = next(each for each in gateway.get("traffic")["refusals"] if each["reason"] == cause)
        assert refusal["meaning"] and refusal["advice"], refusal
        tab.wait_text(refusal["meaning"])
        tab.wait_text(refusal["advice"])
    else:
        assert links, said
    go(tab, gateway, "object/" + urllib.parse.quote(key, safe=""))
    for link in links:
        for text in [link["message"], link.get("advice"), link.get("cause")]:
            if text:
                tab.wait_text(text)
    assert greeting != "none" or cause in [link.get("cause") for link in links] + [link.get("field") for link in links], links


def refuse(port, greeting):
    """A connection that does not come to its end."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            if greeting == "plain":
                client.sendall(b"PING\r\n")
                assert client.recv(100) == b""
                return
            context = ssl.create_default_context()
            context.wrap_socket(client, server_hostname=greeting)
            raise AssertionError("the handshake went well")
    except (ConnectionError, ssl.SSLError):
        pass


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
        {"served": served, "broken": broken, "many": many}[name](tab, gateway, *rest)
        faults = tab.take_faults()
        assert faults == [], faults
        print(f"ok {name}")
    finally:
        tab.close()


if __name__ == "__main__":
    main()
