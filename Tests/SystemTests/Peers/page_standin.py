"""An admin address that answers what a test wants: the status page of the real one, and made-up objects and traffic."""

import http.server
import json
import math
import random
import threading
import time
import urllib.parse
import zlib


def condition(kind, status, reason, message="", wrong=False, since=None):
    return {"type": kind, "status": status, "reason": reason, "message": message, "isProblem": wrong,
            "since": since if since is not None else int(time.time()) - 5400}


def accepted():
    return [condition("Accepted", "True", "Accepted"), condition("ResolvedRefs", "True", "ResolvedRefs")]


def listener(name, port, mode, routes, hostname=None, problem=None, conditions=None):
    bound = problem is None
    node = {
        "name": name, "port": port, "mode": mode, "routes": routes,
        "bindings": [{"address": f"*:{port}", "isBound": bound} | ({} if bound else {"problem": problem})],
        "conditions": conditions or [
            *accepted(), condition("Programmed", "True", "Programmed") if bound
            else condition("Programmed", "False", "Invalid", problem, True)],
        "traffic": {"accepted": 184_213, "active": 96, "handshaking": 2, "rejected": {"authz_denied": 12}},
    }
    return node | ({"hostname": hostname} if hostname else {})


def route(kind, name, backends, hostnames=(), parent="Gateway infra/edge", conditions=None, namespace="infra"):
    return {
        "kind": kind, "namespace": namespace, "name": name, "hostnames": list(hostnames),
        "parents": [{"parent": parent, "conditions": conditions or accepted()}],
        "backends": [
            {"rule": 0, "backend": backend, "weight": weight, "isFallback": fallback, "isResolved": resolved}
            for backend, weight, fallback, resolved in backends],
        "traffic": {"opened": 51_220, "active": 48, "closed": {"client_closed": 51_000, "connect_refused": 172},
                    "requestBytes": 7 << 30, "responseBytes": 91 << 30, "setupNanoseconds": 51_220 * 410_000, "setups": 51_220},
    }


def backend(name, port, endpoints, checks=True, kind="Service", conditions=(), namespace="infra"):
    return {
        "kind": kind, "namespace": namespace, "name": name, "port": port, "hasHealthChecks": checks,
        "conditions": list(conditions),
        "endpoints": [
            {"address": address, "state": state} | ({"zone": zone} if zone else {})
            | ({"failure": failure} if failure else {}) | ({"checkedAt": int(time.time() * 1000) - 900} if checks else {})
            for address, state, zone, failure in endpoints],
        "traffic": {"active": 48, "pending": 0, "connected": 50_100, "failed": {"refused": 172}, "retries": 31,
                    "connectNanoseconds": 50_100 * 320_000},
    }


def base_status():
    """What an empty gateway says."""
    now = time.time()
    return {
        "version": "0.4.0", "source": "cluster", "sourceDetail": "production", "time": int(now * 1000),
        "startedAt": int(now) - 273_000,
        "generation": 42, "appliedAt": int(now) - 2_100, "isLeader": True, "warnings": [], "gateways": [], "routes": [],
        "backends": [], "policies": [], "certificates": []}


def usual_status():
    """A gateway with a few things that are wrong."""
    now = int(time.time())
    status = base_status()
    no_grant = "Service payments/ledger is in another namespace, and no ReferenceGrant there allows it"
    status["gateways"] = [
        {"namespace": "infra", "name": "edge", "addresses": ["203.0.113.10"],
         "conditions": [condition("Accepted", "True", "Accepted"), condition("Programmed", "True", "Programmed")],
         "listeners": [
             listener("redis", 6379, "TCP", ["TCPRoute infra/redis"]),
             listener("postgres", 5432, "TLS Terminate", ["TLSRoute infra/orders", "TLSRoute infra/ledger"], "*.db.example.com"),
             listener("mqtt", 8883, "TLS Passthrough", ["TLSRoute infra/devices"], "mqtt.example.com"),
         ]},
        {"namespace": "staging", "name": "lab", "addresses": ["203.0.113.11"],
         "conditions": [condition("Accepted", "True", "Accepted"), condition("Programmed", "True", "Programmed")],
         "listeners": [listener("amqp", 5671, "TCP", ["TCPRoute staging/rabbit"],
                                problem="port 5671 is in use by rabbitmq (pid 812)")]},
    ]
    status["routes"] = [
        route("TCPRoute", "redis", [("Service infra/redis:6379", 9, False, True),
                                    ("Service infra/redis-next:6379", 1, False, True)]),
        route("TCPRoute", "rabbit", [("Backend staging/rabbit", 1, False, True)], parent="Gateway staging/lab/amqp",
              namespace="staging"),
        route("TLSRoute", "devices", [("Service infra/mosquitto:8883", 1, False, True)], ["mqtt.example.com"],
              "Gateway infra/edge/mqtt"),
        route("TLSRoute", "ledger", [("Service payments/ledger:5432", 1, False, False)], ["ledger.db.example.com"],
              "Gateway infra/edge/postgres",
              [condition("Accepted", "True", "Accepted"), condition("ResolvedRefs", "False", "RefNotPermitted", no_grant, True)]),
        route("TLSRoute", "orders", [("Service infra/orders:5432", 1, False, True),
                                     ("Service infra/orders-standby:5432", 1, True, True)],
              ["orders.db.example.com"], "Gateway infra/edge/postgres"),
    ]
    failed = "step 3: expected +PONG, received -LOADING Redis is loading the dataset in memory"
    status["backends"] = [
        backend("rabbit", 0, [("rabbit.internal:5671", "serving", None, None)], False, "Backend", namespace="staging"),
        backend("mosquitto", 8883, [("10.0.4.17:8883", "healthy", "eu-1a", None), ("10.0.4.18:8883", "healthy", "eu-1b", None)]),
        backend("orders", 5432, [("10.0.2.11:5432", "healthy", "eu-1a", None)]),
        backend("orders-standby", 5432, [("10.0.2.12:5432", "healthy", "eu-1b", None)]),
        backend("redis", 6379, [("10.0.1.21:6379", "healthy", "eu-1a", None), ("10.0.1.22:6379", "healthy", "eu-1b", None),
                                ("10.0.1.23:6379", "unhealthy", "eu-1c", failed)]),
        backend("redis-next", 6379, [("10.0.1.31:6379", "healthy", "eu-1a", None)]),
        backend("ledger", 5432, [("10.0.7.3:5432", "serving", None, None)], False, namespace="payments"),
    ]
    status["policies"] = [
        {"kind": "BackendPolicy", "namespace": "infra", "name": "redis", "targets": ["Service infra/redis"],
         "ancestors": [{"parent": "Gateway infra/edge", "conditions": [condition("Accepted", "True", "Accepted")]}]},
        {"kind": "ClientPolicy", "namespace": "infra", "name": "edge", "targets": ["Gateway infra/edge"],
         "ancestors": [{"parent": "Gateway infra/edge", "conditions": [condition("Accepted", "True", "Accepted")]}]},
    ]
    status["certificates"] = [
        {"object": "Secret infra/db-tls", "usage": "listener", "usedBy": ["Gateway infra/edge/postgres"],
         "names": ["*.db.example.com"], "notAfter": now + 9 * 86400 + 7300},
        {"object": "Secret infra/client-ca", "usage": "client_ca", "usedBy": ["Gateway infra/edge/postgres"],
         "names": ["Example Clients CA"], "notAfter": now + 71 * 86400},
        {"object": "Secret infra/redis-client", "usage": "backend_client", "usedBy": ["BackendPolicy infra/redis"],
         "names": ["spiffe://example.com/ns/infra/sa/sluice"], "notAfter": now + 204 * 86400},
    ]
    return status


def many_status(count):
    """`count` routes at one listener, each to a Service of its own."""
    status = base_status()
    names = [f"route-{index:04}" for index in range(count)]
    status["gateways"] = [{
        "namespace": "infra", "name": "edge", "addresses": [], "conditions": accepted(),
        "listeners": [listener("tls", 443, "TLS Passthrough", [f"TLSRoute infra/{name}" for name in names])]}]
    status["routes"] = [
        route("TLSRoute", name, [(f"Service infra/{name}:443", 1, False, True)], [f"{name}.example.com"]) for name in names]
    status["backends"] = [backend(name, 443, [("10.1.0.1:443", "serving", None, None)], False) for name in names]
    return status


def usual_history():
    now = int(time.time() * 1000)
    steps = [
        (2_100, 4.1, ["~ backend Service infra/redis:6379: 3 endpoints"]),
        (9_400, 6.8, ["+ TLSRoute infra/devices at edge/mqtt", "+ listener infra/edge/mqtt",
                      "+ backend Service infra/mosquitto:8883: 2 endpoints"]),
        (86_000, 3.2, ["- TCPRoute infra/redis-old at edge/redis"]),
    ]
    return [{"generation": 42 - index, "appliedAt": now - age * 1000, "milliseconds": took, "changes": changes}
            for index, (age, took, changes) in enumerate(steps)]


def usual_connections(count):
    chooser = random.Random(7)
    return [{
        "id": str((1 << 60) + index), "state": "relaying" if index % 9 else "connecting",
        "listener": "infra/edge/redis", "port": 6379,
        "route": "TCPRoute infra/redis", "backend": "Service infra/redis:6379", "endpoint": f"10.0.1.2{1 + index % 2}:6379",
        "attempts": 1, "client": f"198.51.100.{index % 250}:{40_000 + index}",
        "peer": f"198.51.100.{index % 250}:{40_000 + index}",
        "ageMilliseconds": chooser.randrange(1_000, 9_000_000), "idleMilliseconds": chooser.randrange(0, 9_000),
        "requestBytes": chooser.randrange(1 << 22), "responseBytes": chooser.randrange(1 << 28),
        "requestRate": chooser.randrange(1 << 12), "responseRate": chooser.randrange(1 << 18)} for index in range(count)]


def usual_explanation(parts):
    if parts["name"] not in ("ledger", "redis"):
        return {"object": f"{parts['kind']} {parts['namespace']}/{parts['name']}", "values": [], "links": [
            {"verdict": "good", "object": "Gateway infra/edge", "message": "Accepted and programmed.", "depth": 0}]}
    links = [
        {"verdict": "good", "object": "Gateway infra/edge", "message": "Accepted and programmed, at 203.0.113.10.", "depth": 0},
        {"verdict": "good", "object": "listener postgres", "message": "Bound at *:5432.", "depth": 1},
        {"verdict": "good", "object": "TLSRoute infra/ledger", "message": "Attached for ledger.db.example.com.", "depth": 2},
        {"verdict": "broken", "object": "Service payments/ledger:5432", "field": "spec.rules[0].backendRefs[0]",
         "cause": "RefNotPermitted", "depth": 3,
         "message": "Service payments/ledger is in another namespace, and no ReferenceGrant there allows it",
         "advice": "Create a ReferenceGrant in namespace payments from TLSRoute in infra to Service ledger."},
    ]
    if parts["name"] == "redis":
        links = [links[0], {"verdict": "good", "object": "Service infra/redis:6379", "message": "Three endpoints.", "depth": 1},
                 {"verdict": "warning", "object": "endpoint 10.0.1.23:6379", "cause": "EndpointsUnhealthy", "depth": 2,
                  "message": "The last check failed at step 3: received -LOADING.",
                  "advice": "See why this Redis is still loading its dataset; it gets connections again once checks pass."}]
    return {"object": f"{parts['kind']} {parts['namespace']}/{parts['name']}", "links": links, "values": [
        {"field": "ClientPolicy.timeouts.idleTimeout", "value": "1h", "source": "ClientPolicy infra/edge at Gateway infra/edge"},
        {"field": "BackendPolicy.retry.numRetries", "value": "2", "source": "default"}]}


def usual_refusals():
    return [
        {"reason": "invalid_backend", "place": "TLSRoute infra/ledger", "minutes": [4, 6, 3, 5, 9, 12, 4, 8, 7, 5],
         "meaning": "The backend that was chosen for the connection cannot be resolved.",
         "advice": "See the ResolvedRefs condition of the route: the backend is missing, or not permitted."},
        {"reason": "authz_denied", "place": "Gateway infra/edge/redis", "minutes": [0, 0, 0, 0, 0, 0, 3, 1, 0, 2],
         "meaning": "A rule of authorization denied the client.",
         "advice": "Where the client is to be let in, add its addresses to the rules of the ClientPolicy."},
        {"reason": "connect_refused", "place": "TCPRoute infra/redis", "minutes": [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
         "meaning": "The endpoint refused the connection: nothing listens on its port.",
         "advice": "Compare the port of the Service with the one that the pods listen on."},
    ]


class Traffic:
    """Counts that go on: ten minutes of them are there at once."""

    def __init__(self):
        self.chooser = random.Random(3)
        self.samples = []
        self.sample = {"accepted": 184_000, "failed": 190, "requestBytes": 7 << 30, "responseBytes": 91 << 30,
                       "setups": 183_000, "setupNanoseconds": 183_000 * 420_000, "active": 310}
        start = int(time.time()) - 601
        for second in range(600):
            self.step((start + second) * 1000)

    def step(self, moment):
        phase = moment / 1000
        fresh = max(0, int(self.chooser.gauss(46 + 18 * math.sin(phase / 95) + 6 * math.sin(phase / 17), 4)))
        self.sample = dict(self.sample, time=moment)
        self.sample["accepted"] += fresh
        self.sample["setups"] += fresh
        self.sample["setupNanoseconds"] += int(fresh * (380_000 + 90_000 * math.sin(phase / 60) + self.chooser.random() * 60_000))
        self.sample["requestBytes"] += int(fresh * 42_000 * (1 + self.chooser.random() / 3))
        self.sample["responseBytes"] += int(fresh * 240_000 * (1.2 + math.sin(phase / 120) / 2 + self.chooser.random() / 4))
        self.sample["active"] = 300 + int(40 * math.sin(phase / 130) + self.chooser.random() * 8)
        self.samples = [*self.samples[-599:], self.sample]

    def follow(self):
        now = int(time.time() * 1000)
        while self.samples[-1]["time"] + 1000 <= now:
            self.step(self.samples[-1]["time"] + 1000)


class StandIn(http.server.ThreadingHTTPServer):
    """`page` gives (header fields, bytes) of the status page. What a test changes in the attributes is answered from then on."""

    daemon_threads = True

    def __init__(self, page, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.page = page
        self.status, self.history, self.refusals = usual_status(), usual_history(), usual_refusals()
        self.connections, self.traffic = usual_connections(137), Traffic()
        self.explain = usual_explanation
        self.requests, self.closed = [], []
        self.started = time.time()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def stop(self):
        self.shutdown()
        self.server_close()

    def live(self, query):
        self.traffic.follow()
        elapsed = time.time() - self.started
        nodes = {"listener": {}, "route": {}, "backend": {}}
        for kind, keys in query.items():
            for key in keys if kind in nodes else []:
                # Each object at a pace of its own, the same in every run.
                pace = 3 + zlib.crc32(key.encode()) % 29
                nodes[kind][key] = counts_of(kind, int(pace * elapsed), 5 + 2 * pace)
        return {"time": int(time.time() * 1000), "generation": self.status["generation"], "interval": 1,
                "total": self.traffic.sample, "history": self.traffic.samples, "refusals": self.refusals,
                "listeners": nodes["listener"], "routes": nodes["route"], "backends": nodes["backend"]}


def counts_of(kind, fresh, active):
    """Of an object, `fresh` connections after the start."""
    opened = 51_220 + fresh
    if kind == "listener":
        return {"accepted": opened, "active": active, "handshaking": 2, "rejected": {"authz_denied": 12}}
    if kind == "route":
        return {"opened": opened, "active": active, "closed": {"client_closed": opened - active - 172, "connect_refused": 172},
                "requestBytes": (7 << 30) + fresh * 42_000, "responseBytes": (91 << 30) + fresh * 240_000,
                "setupNanoseconds": opened * 410_000, "setups": opened}
    return {"active": active, "pending": 0, "connected": opened, "failed": {"refused": 172}, "retries": 31,
            "connectNanoseconds": opened * 320_000}


FIELDS = {"limit", "sort", "order", "id", "state", "client", "route", "listener"}


def matching(connections, query):
    return [each for each in connections
            if all(any(str(each.get(field, "")).endswith(value) for value in values)
                   for field, values in query.items() if field not in ("limit", "sort", "order"))]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.reply(status, {"Content-Type": "application/json"}, body)

    def reply(self, status, fields, body):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, text = self.path.partition("?")
        query = urllib.parse.parse_qs(text)
        self.server.requests.append((time.monotonic(), self.path))
        if path == "/":
            self.reply(200, *self.server.page())
        elif path == "/status":
            self.answer(200, self.server.status | {"time": int(time.time() * 1000)})
        elif path == "/traffic":
            self.answer(200, self.server.live(query))
        elif path == "/history":
            self.answer(200, self.server.history)
        elif path == "/connections":
            unknown = set(query) - FIELDS
            if unknown:
                return self.answer(400, {"error": f"'{min(unknown)}' is no field of connections"})
            found = matching(self.server.connections, query)
            self.answer(200, {"total": len(found), "connections": found[:int(query.get("limit", ["100"])[0])]})
        elif path == "/explain":
            self.answer(200, self.server.explain({name: values[0] for name, values in query.items()}))
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self):
        path, _, text = self.path.partition("?")
        if path != "/connections/close" or not self.headers.get("X-Sluice-Action"):
            return self.answer(403, {"error": "the header X-Sluice-Action is missing"})
        found = matching(self.server.connections, urllib.parse.parse_qs(text))
        self.server.connections = [each for each in self.server.connections if each not in found]
        self.server.closed += found
        return self.answer(200, {"closed": found})
