"""What becomes of the gateway where it runs out of ports towards a backend, of descriptors, and of places: `python3 -B -m
trials.hostile.exhaustion --binary sluice`. Prints what was seen, a line of JSON for each, and fails where it is not as it should."""
import argparse
import contextlib
import json
import pathlib
import socket
import sys
import tempfile
import threading
import time

from . import network
from ..common.bench import Failure, Processes, free_port
from ..common.gateway import Gateway
from ..common.manifests import Folder

PORTS = 20  # that the kernel may choose from
FIRST = 40_000
WAIT_S = 10


class _Echo:
    """Answers with its own address, then with what it is sent, at one address."""

    def __init__(self, address, port=0):
        self._listener = socket.create_server((address, port), backlog=1024)
        self.address, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.sendall(f"{self.address}\n".encode())
            while data := connection.recv(4096):
                connection.sendall(data)


class _Clients:
    """Connections from ports of their own choice, so that they take none of the few that the gateway has."""

    def __init__(self, port):
        self._port, self._next, self.served, self.refused = port, 20_000, [], 0

    def connect(self, count):
        """The backends' addresses that have answered, or None for a connection that was refused, in order."""
        begun = []
        for _ in range(count):
            client = socket.socket()
            client.settimeout(WAIT_S)
            while True:
                self._next += 1
                with contextlib.suppress(OSError):
                    client.bind(("127.0.0.1", self._next))
                    break
            client.connect(("127.0.0.1", self._port))
            begun.append(client)
        return [self._greeting(client) for client in begun]

    def _greeting(self, client):
        try:
            said = client.recv(64).decode().strip()
        except OSError:
            said = ""
        if said:
            self.served.append(client)
            return said
        client.close()
        self.refused += 1
        return None

    def are_served(self):
        for number, client in enumerate(self.served):
            message = f"{number}\n".encode()
            client.sendall(message)
            if client.recv(64) != message:
                return False
        return True

    def close(self, count):
        for client in self.served[:count]:
            client.close()
        del self.served[:count]


def _gateway(processes, folder, binary, endpoints, *flags):
    """(Gateway, its ports, what adds endpoints to the backend). At the second port a PROXY header is awaited."""
    manifests, names = Folder(folder / "manifests", "trial"), ("tcp", "proxied")
    ports = [free_port() for _ in names]
    listeners = [{"name": name, "protocol": "TCP", "port": port} for name, port in zip(names, ports)]
    manifests.put("gateway", manifests.gateway("edge", listeners), *(manifests.route("edge", name, ["echo"]) for name in names),
                  manifests.policy("ClientPolicy", "proxied", [("Gateway", "edge", "proxied")], proxyProtocol={
                      "mode": "Required", "trustedCIDRs": ["127.0.0.0/8"], "headerTimeout": "1m"}))

    def lead_to(echoes):
        slices = [each for echo in echoes for each in manifests.service("echo", echo.port, address=echo.address)]
        for number, each in enumerate(slices):
            each["metadata"]["name"] = f"echo-{number}" if each["kind"] != "Service" else "echo"
        manifests.put("service", *slices[:2], *(each for each in slices[2:] if each["kind"] != "Service"))

    lead_to(endpoints)
    gateway = Gateway(processes, folder, binary, manifests.path, "--workers", 2, *flags)
    gateway.wait_until_ready()
    return gateway, ports, lead_to


def _wait(what, condition):
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"not {what} after {WAIT_S} s")
        time.sleep(0.05)
    return value


def _expect(holds, what, seen):
    if not holds:
        raise Failure(f"not as it should: {what}: {seen}")


def _idle_cores(gateway, seconds=1):
    before = gateway.census().cpu_seconds
    time.sleep(seconds)
    return (gateway.census().cpu_seconds - before) / seconds


def ports(processes, folder, binary):
    """20 ports towards one backend, then a second one, then room again."""
    network.run(f'sysctl --quiet --write net.ipv4.ip_local_port_range="{FIRST} {FIRST + PORTS - 1}"')
    echoes = [_Echo("127.0.0.2")]
    gateway, (port, _), lead_to = _gateway(processes, folder, binary, echoes)
    clients, seen = _Clients(port), {}
    answers = clients.connect(2 * PORTS)
    seen["served"], seen["refused"] = len(clients.served), answers.count(None)
    _expect(clients.are_served(), "those inside are served", seen)
    metrics = gateway.metrics()
    seen["unreachable"] = metrics.sum("sluice_backend_connects_total", result="unreachable")
    seen["reasons"] = {reason: metrics.sum("sluice_tcp_connections_closed_total", reason=reason)
                       for reason in ("connect_unreachable", "overload")}
    seen["said"] = "Cannot assign requested address" in gateway.journal.read_text()
    seen["idle_cores"] = round(_idle_cores(gateway), 3)
    # Another endpoint has ports of its own: what is refused at the one is retried at the other.
    echoes.append(_Echo("127.0.0.3", echoes[0].port))
    lead_to(echoes)
    _wait("leading to the second backend", lambda: gateway.metrics().sum("sluice_backend_endpoints", state="healthy") == 2
          or gateway.metrics().sum("sluice_backend_endpoints") == 2)
    elsewhere = clients.connect(PORTS // 2)
    seen["elsewhere"] = elsewhere.count("127.0.0.3")
    _expect(clients.are_served(), "those inside are served", seen)
    # Room again, at the first: it goes on by itself.
    lead_to(echoes[:1])
    clients.close(PORTS)
    _wait("room", lambda: clients.connect(1)[0] == "127.0.0.2")
    seen["recovered"] = True
    # The kernel may leave one or two unused.
    _expect(PORTS - 2 <= seen["served"] <= PORTS and seen["refused"] == 2 * PORTS - seen["served"],
            "as many as there are ports", seen)
    _expect(seen["reasons"]["connect_unreachable"] == seen["refused"], "each refusal is counted", seen)
    _expect(seen["said"] and seen["elsewhere"] == PORTS // 2 and seen["idle_cores"] < 0.1, "said, retried, calm", seen)
    return seen


def descriptors(processes, folder, binary):
    """256 descriptors, a limit of connections that does not help, and 1,000 clients."""
    network.run('sysctl --quiet --write net.ipv4.ip_local_port_range="16384 60999"')
    echo = _Echo("127.0.0.2")
    limited = folder / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -n 256\nexec {binary} "$@"\n')
    limited.chmod(0o755)
    gateway, (port, proxied), _ = _gateway(processes, folder, limited, [echo], "--max-connections", 100_000)
    return _flood_descriptors(gateway, port) | _want_backends(gateway, proxied)


def _want_backends(gateway, port):
    """Those who were taken in while there were descriptors want another one each, for their backend, all at once."""
    crowd, seen = [socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) for _ in range(1000)], {}
    _wait("paused", lambda: gateway.metrics().sum("sluice_overload_active", resource="fds") == 1)
    before = _refused(gateway)
    for client in crowd:
        client.sendall(b"PROXY UNKNOWN\r\n")
    _wait("a refusal", lambda: _refused(gateway) > before)
    seen["late"] = {"descriptors": gateway.census().descriptors, "live": bool(gateway.get(gateway.probe, "/livez"))}
    for client in crowd:
        client.close()
    _wait("over", lambda: gateway.metrics().sum("sluice_overload_active") == 0)
    return seen


def _refused(gateway):
    return gateway.metrics().sum("sluice_tcp_connections_closed_total", reason="overload")


def _flood_descriptors(gateway, port):
    clients, seen = _Clients(port), {}
    clients.connect(10)
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) for _ in range(1000)]
    _wait("paused", lambda: gateway.metrics().sum("sluice_overload_active", resource="fds") == 1)
    seen["descriptors"] = gateway.census().descriptors
    seen["active"] = gateway.metrics().sum("sluice_tcp_connections_active")
    seen["detail"] = "no descriptor" in gateway.get(gateway.probe, "/readyz")
    seen["live"] = bool(gateway.get(gateway.probe, "/livez"))
    seen["idle_cores"] = round(_idle_cores(gateway), 3)
    _expect(clients.are_served(), "those inside are served", seen)
    for client in crowd:
        client.close()
    _wait("over", lambda: gateway.metrics().sum("sluice_overload_active") == 0)
    # While they are taken in and found gone it may come back.
    _wait("the crowd to be gone", lambda: gateway.metrics().sum("sluice_listener_connections_accepted_total") >= 1010)
    _wait("calm", lambda: gateway.metrics().sum("sluice_tcp_connections_active") == len(clients.served))
    _expect(clients.connect(5).count(None) == 0, "newcomers are served again", seen)
    seen["said"] = "no descriptor or memory" in gateway.journal.read_text()
    seen["refused"] = _refused(gateway)
    _wait("back where it was", lambda: gateway.metrics().sum("sluice_tcp_connections_active") == len(clients.served))
    seen["recovered"] = True
    _expect(seen["detail"] and seen["live"] and seen["said"] and seen["idle_cores"] < 0.2, "said, alive, calm", seen)
    return seen


def places(processes, folder, binary):
    """40 places, five of them of served clients, all others half-open and for a minute yet; somebody else comes."""
    network.run('sysctl --quiet --write net.ipv4.ip_local_port_range="16384 60999"')
    gateway, (port, proxied), _ = _gateway(processes, folder, binary, [_Echo("127.0.0.2")], "--max-connections", 40)
    clients = _Clients(port)
    clients.connect(5)
    crowd = [socket.create_connection(("127.0.0.1", proxied), timeout=WAIT_S) for _ in range(35)]
    _wait("full", lambda: gateway.metrics().sum("sluice_listener_connections_active") == 40)
    start = time.monotonic()
    seen = {"newcomer": clients.connect(1)[0], "seconds": round(time.monotonic() - start, 1)}
    seen["ended"] = gateway.metrics().sum("sluice_listener_connections_rejected_total", reason="overload")
    _expect(seen["newcomer"] and 1 <= seen["ended"] <= 35, "room is made by half-open connections", seen)
    _expect(clients.are_served(), "those inside are served", seen)
    for client in crowd:
        client.close()
    return seen


TRIALS = {"ports": ports, "descriptors": descriptors, "places": places}


def main():
    parser = argparse.ArgumentParser(prog="exhaustion", description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--only", choices=TRIALS, nargs="*", default=list(TRIALS))
    options = parser.parse_args()
    network.enter("trials.hostile.exhaustion")
    network.prepare()
    for name in options.only:
        with tempfile.TemporaryDirectory(prefix="sluice-exhaustion-") as folder:
            with Processes(pathlib.Path(folder)) as processes:
                try:
                    print(json.dumps({name: TRIALS[name](processes, pathlib.Path(folder), options.binary.resolve())}), flush=True)
                except Failure as failure:
                    print(f"{name}: {failure}", file=sys.stderr)
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
