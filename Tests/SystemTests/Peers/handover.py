"""`SLUICE FOLDER SCENARIO PORT PROBES ADMIN` (three free ports): new connections at 200 a second, verified by bytes, while a gateway is reloaded, upgraded, or dies
under a service manager. Prints a report as one JSON line; fails where something else happens than the scenario says.
"""
import json
import os
import signal
import socket
import sys
import time

from new_connections import NewConnections
from service_manager import ServiceManager

sluice, folder, scenario = sys.argv[1:4]
port, probes, admin = map(int, sys.argv[4:])
program = os.path.join(folder, "sluice")
manifests = os.path.join(folder, "manifests")
flags = [
    "--manifests", manifests, "--probe-address", f"127.0.0.1:{probes}", "--admin-address", f"127.0.0.1:{admin}",
    "--log-format", "json", "--access-log", os.path.join(folder, "access.log"), "--accept-grace", "0s",
]


def write_manifests(backend, check=""):
    text = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  gatewayClassName: sluice
  addresses: [{{type: IPAddress, value: 127.0.0.1}}]
  listeners: [{{name: p, port: {port}, protocol: TCP}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: r}}
spec:
  parentRefs: [{{name: gw}}]
  rules: [{{backendRefs: [{{name: echo, port: 1}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: echo}}
spec: {{ports: [{{port: 1, targetPort: {backend}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: echo, labels: {{kubernetes.io/service-name: echo}}}}
addressType: IPv4
ports: [{{port: {backend}}}]
endpoints: [{{addresses: [127.0.0.1]}}]
{check}"""
    os.makedirs(manifests, exist_ok=True)
    with open(os.path.join(manifests, "new.part"), "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(os.path.join(manifests, "new.part"), os.path.join(manifests, "main.yaml"))


# One byte that never comes: the first round of checks is over when this has run out.
SLOW_CHECK = """---
apiVersion: sluice.dev/v1alpha1
kind: BackendPolicy
metadata: {name: slow}
spec:
  targetRefs: [{group: "", kind: Service, name: echo}]
  healthCheck:
    active:
      type: TCP
      timeout: 3s
      interval: 10s
      initialJitter: 0s
      initialState: Healthy
      unhealthyThreshold: 100
      tcp: {steps: [{expect: {type: Text, text: "never said"}}]}
"""


def place(lines):
    """Puts another program at the gateway's path, as a package does; it keeps its name, by which it starts the next."""
    with open(program + ".new", "w", encoding="utf-8") as file:
        file.write("#!/bin/bash\n" + lines + "\n")
    os.chmod(program + ".new", 0o755)
    os.rename(program + ".new", program)


def start_echo():
    reading, writing = os.pipe()
    pid = os.posix_spawn(
        sluice, [sluice, "echo", "--port", "0"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
    os.close(writing)
    with os.fdopen(reading) as said:
        return pid, int(said.readline().split()[-1])


class Established:
    """A connection that exchanges bytes from the beginning to the end of a scenario."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.exchange(b"first\n")

    def exchange(self, line):
        self.socket.sendall(line)
        assert self.file.readline() == line

    def close(self):
        self.socket.shutdown(socket.SHUT_WR)
        assert self.file.read() == b""
        self.socket.close()


def begin(manager):
    manager.start()
    manager.wait(lambda: manager.count("READY=1") == 1, "READY=1")
    return Established(), NewConnections(port)


def ready_code():
    with socket.create_connection(("127.0.0.1", probes), 10) as one:
        one.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        return one.makefile("rb").readline().split()[1].decode()


def wait(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"no {what}: {manager.text()}"
        time.sleep(0.01)


def reload():
    """SIGHUP opens the access log's file again, and systemd is told when it begins and when it is over."""
    established, load = begin(manager)
    access = os.path.join(folder, "access.log")
    time.sleep(1)
    for number in range(3):
        os.rename(access, f"{access}.{number}")
        manager.signal(signal.SIGHUP)
        manager.wait(lambda: manager.count("READY=1") == number + 2, "READY=1 after a reload")
        wait(lambda: os.path.exists(access) and os.path.getsize(access) > 0, "access log after a reload")
        time.sleep(0.5)
    assert manager.count("RELOADING=1") == 3
    report = load.finish()
    established.exchange(b"last\n")
    established.close()
    return report


def upgrade():
    """Three times: as many workers, more of them, fewer of them."""
    established, load = begin(manager)
    time.sleep(0.5)
    for number, workers in enumerate((2, 5, 1)):
        place(f"SLUICE_WORKERS={workers} exec -a \"$0\" {sluice} \"$@\"")
        before = manager.main
        manager.signal(signal.SIGUSR2)
        manager.wait(lambda: manager.main != before, "MAINPID")
        manager.wait(lambda: manager.count("READY=1") == number + 2, "READY=1 of the successor")
        wait(lambda: f'"workers":{workers},' in manager.text(), "start with other workers")
        assert ready_code() == "200"
        time.sleep(1)
        established.exchange(b"still there\n")
    for what in ('"handed over","pid"', '"taken over"'):
        assert manager.text().count(what) == 3, manager.text()
    established.close()
    # The one it was established with has nothing left to wait for.
    assert manager.ending() == 0
    return load.finish()


def failing():
    """Successors that are none: the program is gone, ends at once, refuses its flags, or speaks another protocol."""
    established, load = begin(manager)
    before = manager.main
    os.rename(program, program + ".gone")
    manager.signal(signal.SIGUSR2)
    wait(lambda: "the successor cannot be started" in manager.text(), "message of a missing program")
    other = "import socket; s = socket.socket(fileno=0); s.send(b'hello'); s.recv(100)"
    for number, lines in enumerate(
        ["exit 3", f"SLUICE_WORKERS=0 exec -a \"$0\" {sluice} \"$@\"", f"exec {sys.executable} -c \"{other}\""]
    ):
        place(lines)
        manager.signal(signal.SIGUSR2)
        wait(lambda: manager.text().count("did not take over") == number + 1, "message of a failed successor")
        assert ready_code() == "200"
        time.sleep(0.3)
    assert "(exit code 3)" in manager.text() and "(exit code 2)" in manager.text(), manager.text()
    assert "another protocol" in manager.text() and manager.main == before
    # The next one is a good one.
    place(f"exec -a \"$0\" {sluice} \"$@\"")
    manager.signal(signal.SIGUSR2)
    manager.wait(lambda: manager.main != before, "MAINPID")
    time.sleep(0.5)
    established.exchange(b"last\n")
    established.close()
    return load.finish()


def path():
    """Who starts the successor is somebody else, and with another number of workers."""
    manager.command += ["--handover-socket", os.path.join(folder, "handover"), "--workers", "3"]
    established, load = begin(manager)
    wait(lambda: os.path.exists(os.path.join(folder, "handover")), "socket")
    assert os.stat(os.path.join(folder, "handover")).st_mode & 0o777 == 0o600
    others = []
    for number, workers in enumerate(("2", "4")):
        other = ServiceManager(os.path.join(folder, str(number)), manager.command[:-1] + [workers], stores=False)
        others.append(other)
        other.start()
        other.wait(lambda: other.count("READY=1") == 1, "READY=1")
        wait(lambda: '"taken over"' in other.text(), "successor")
        time.sleep(1)
    established.exchange(b"last\n")
    established.close()
    assert manager.ending() == 0
    report = load.finish()
    for other in others:
        other.end()
    return report


def killed():
    """The predecessor dies when its sockets are with a successor that waits for its first health check."""
    established, load = begin(manager)
    before = manager.main
    time.sleep(0.5)
    manager.signal(signal.SIGUSR2)
    successor = []

    def has_sockets():
        started = [json.loads(line) for line in manager.text().splitlines() if "successor started" in line]
        successor[:] = [one["pid"] for one in started]
        return successor and listens(successor[0])

    wait(has_sockets, "successor with the listening sockets")
    assert manager.main == before and "taken over" not in manager.text()
    os.kill(before, signal.SIGKILL)
    died = time.monotonic()
    assert manager.ending() == -signal.SIGKILL
    wait(lambda: "taken over" in manager.text(), "successor")
    manager.main = successor[0]
    time.sleep(1)
    return lost_before(load, died)


def crashed():
    """The process dies, and the next one gets the sockets that the manager kept."""
    established, load = begin(manager)
    manager.wait(lambda: sum(len(fds) for fds in manager.store.values()) == 2, "stored sockets")
    for number in range(2):
        time.sleep(0.5)
        manager.signal(signal.SIGKILL)
        died = time.monotonic()
        assert manager.ending() == -signal.SIGKILL
        manager.start()
        manager.wait(lambda: manager.count("READY=1") == number + 2, "READY=1 after a crash")
    time.sleep(0.5)
    assert sum(len(fds) for fds in manager.store.values()) == 2
    return lost_before(load, died)


def orphaned():
    """The successor dies while its parent drains: that ends, so that the manager knows, and the next gets the stored sockets."""
    established, load = begin(manager)
    before = manager.main
    time.sleep(0.5)
    manager.signal(signal.SIGUSR2)
    manager.wait(lambda: manager.main != before, "MAINPID")
    manager.wait(lambda: manager.count("READY=1") == 2, "READY=1 of the successor")
    time.sleep(1.5)
    established.exchange(b"still there\n")
    manager.signal(signal.SIGKILL)
    died = time.monotonic()
    assert manager.ending() == 0
    assert "the successor has died" in manager.text()
    manager.start()
    manager.wait(lambda: manager.count("READY=1") == 3, "READY=1 of the third")
    time.sleep(0.5)
    return lost_before(load, died)


def restarted():
    """The process is told to end, and the next one gets the sockets that the manager kept."""
    established, load = begin(manager)
    manager.wait(lambda: sum(len(fds) for fds in manager.store.values()) == 2, "stored sockets")
    established.close()
    for number in range(2):
        time.sleep(0.5)
        manager.signal(signal.SIGTERM)
        assert manager.ending() == 0
        assert manager.count("STOPPING=1") == number + 1
        time.sleep(0.5)
        manager.start()
        manager.wait(lambda: manager.count("READY=1") == number + 2, "READY=1 after a restart")
    time.sleep(0.5)
    return load.finish()


def activated():
    """The first process gets a socket of a socket unit, which is bound without SO_REUSEPORT, and one that nobody wants."""
    with socket.socket() as unit, socket.socket() as unwanted:
        for one, where in ((unit, port), (unwanted, 0)):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", where))
            one.listen(4096)
        other = unwanted.getsockname()[1]
        load = NewConnections(port)
        time.sleep(0.3)
        manager.start(unit, unwanted)
        manager.wait(lambda: manager.count("READY=1") == 1, "READY=1")
    time.sleep(1)
    assert "an inherited socket that no listener wants is closed" in manager.text(), manager.text()
    assert f"127.0.0.1:{other}" in manager.text()
    try:
        socket.create_connection(("127.0.0.1", other), 5)
        raise AssertionError("the unwanted socket still listens")
    except ConnectionRefusedError:
        pass
    return load.finish()


def listens(pid):
    """Whether a process has a socket that listens at the port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    try:
        fds = os.listdir(f"/proc/{pid}/fd")
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") in inodes for fd in fds)
    except OSError:
        return False


def lost_before(load, died):
    """What was established dies with its process: only attempts that were begun after that may not fail."""
    report = load.finish()
    assert len(load.failures) <= 20, load.failures
    report["failures"] = [one["problem"] for one in load.failures if one["begun"] > died or "Refused" in one["problem"]]
    return report


scenarios = [reload, upgrade, failing, path, killed, crashed, orphaned, restarted, activated]
for inner in ("0", "1"):
    os.makedirs(os.path.join(folder, inner), exist_ok=True)
echo, backend_port = start_echo()
write_manifests(backend_port, SLOW_CHECK if scenario == "killed" else "")
place(f"exec -a \"$0\" {sluice} \"$@\"")
manager = ServiceManager(folder, [program, "run"] + flags, environment={"SLUICE_WORKERS": "2"} if scenario != "path" else {})
try:
    print(json.dumps({one.__name__: one for one in scenarios}[scenario]()), flush=True)
finally:
    print(manager.text(), file=sys.stderr)
    manager.end()
    os.kill(echo, signal.SIGKILL)
