"""What is measured of the control plane."""
import random
import socket
import statistics
import time

from ..accounting import cpu_seconds
from ..failure import Failure
from . import objects
from .gateway import memory_kib

PATIENCE_S = 30
POLL_S = 0.0005


def wait_for_statuses(gateway, cluster, size):
    """Seconds until every Gateway and route has its first status; then what they say is checked at the API server."""
    start = time.perf_counter()
    wanted = size.gateways + size.services
    while gateway.metric("sluice_status_updates_total") < wanted:
        if time.perf_counter() - start > 300:
            raise Failure(f"fewer than {wanted} statuses are written after 300 s")
        time.sleep(0.05)
    taken = time.perf_counter() - start
    # A Gateway is written again when its Service and then its address are there.
    deadline = time.perf_counter() + PATIENCE_S
    while True:
        done = _programmed(cluster, "gateways") + _accepted(cluster, "tcproutes") + _accepted(cluster, "tlsroutes")
        if done == wanted:
            return taken
        if time.perf_counter() > deadline:
            raise Failure(f"{done} of {wanted} Gateways and routes say that all is well")
        time.sleep(1)


def _items(cluster, plural):
    return cluster.request("GET", f"/apis/{objects.GATEWAY_API}/namespaces/bench/{plural}")["items"]


def _holds(conditions, kind):
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def _programmed(cluster, plural):
    return sum(_holds(each.get("status", {}).get("conditions", []), "Programmed") for each in _items(cluster, plural))


def _accepted(cluster, plural):
    return sum(
        any(_holds(parent["conditions"], "Accepted") for parent in each.get("status", {}).get("parents", []))
        for each in _items(cluster, plural))


def bound_port(cluster, gateway, port):
    """The port that a Gateway's port is bound to, from the Service that records it."""
    services = cluster.request("GET", "/api/v1/namespaces/sluice-system/services")["items"]
    for service in services:
        if service["metadata"].get("labels", {}).get("gateway.networking.k8s.io/gateway-name") != gateway:
            continue
        for each in service["spec"]["ports"]:
            if each["port"] == port:
                return int(each["targetPort"])
    raise Failure(f"no Service records port {port} of {gateway}")


def rest(pid, seconds):
    """Share of one core that is used while nothing happens, in percent, and memory."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return {"cpu_percent": 100 * (cpu_seconds(pid) - before) / seconds, "memory_kib": memory_kib(pid)}


def _who_answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
            return connection.recv(16).decode()
    except OSError as error:
        raise Failure(f"a connection failed while its route changed: {error}") from None


def change_times(count, port, change):
    """Milliseconds from the call of `change(answer)`, which begins the request, to traffic that follows it."""
    taken = []
    for turn in range(count):
        expected = "b" if turn % 2 == 0 else "a"
        start = time.perf_counter()
        change(expected)
        answered = time.perf_counter()
        while _who_answers(port) != expected:
            if time.perf_counter() - start > PATIENCE_S:
                raise Failure(f"a change is not followed after {PATIENCE_S} s")
            time.sleep(POLL_S)
        end = time.perf_counter()
        # From the moment that the API server has answered is what the gateway adds; a watch may be quicker than it.
        taken.append({"request_ms": 1000 * (answered - start), "total_ms": 1000 * (end - start)})
        time.sleep(random.uniform(0.06, 0.12))
    return taken


def summary(taken):
    totals = sorted(each["total_ms"] for each in taken)
    at = lambda share: totals[min(len(totals) - 1, int(share * len(totals)))]  # noqa: E731
    return {
        "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": totals[-1], "count": len(totals),
        "request_p50_ms": statistics.median(each["request_ms"] for each in taken),
    }
