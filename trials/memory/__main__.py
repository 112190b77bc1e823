"""The gateway in a cgroup with little memory: more clients than fit, each of which makes it hold as many bytes as it can."""
import argparse
import pathlib
import socket
import sys
import tempfile
import time

from ..common.bench import Failure, Processes, allow_descriptors, free_port
from ..common.gateway import Gateway
from ..common.manifests import Folder
from .cgroup import MemoryCgroup

MIB = 1 << 20
# Bytes of one pooled buffer (Sources/Engine/Worker/Buffers.swift).
BUFFER = (16 << 10) + 24


class Sink:
    """A backend that takes connections and reads nothing; with `echoes` it sends back what comes."""

    def __init__(self, echoes=False):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.echoes = echoes
        self.taken = []

    def turn(self):
        while True:
            try:
                taken, _ = self.listener.accept()
            except BlockingIOError:
                break
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            taken.setblocking(False)
            self.taken.append(taken)
        for taken in self.taken if self.echoes else ():
            try:
                taken.sendall(taken.recv(65536))
            except BlockingIOError:
                pass

    def close(self):
        for taken in self.taken:
            taken.close()
        self.taken.clear()


class Trial:
    def __init__(self, gateway, group, echo, sink, ports, buffers):
        self.buffers = buffers
        self.gateway, self.group, self.echo, self.sink = gateway, group, echo, sink
        self.echo_port, self.sink_port = ports
        self.old = []
        self.flood = []
        self.rounds = 0

    def turn(self):
        self.echo.turn()
        self.sink.turn()

    def until(self, what, condition, patience=30):
        deadline = time.monotonic() + patience
        while not condition():
            self.turn()
            self.gateway.started.check()
            if time.monotonic() > deadline:
                raise Failure(f"not within {patience} s: {what}")
            time.sleep(0.002)

    def exchange(self, client):
        """A kilobyte there and back."""
        self.rounds += 1
        sent = (b"%d " % self.rounds * 1024)[:1024]
        client.sendall(sent)
        received = b""

        def is_whole():
            nonlocal received
            try:
                piece = client.recv(1024 - len(received))
            except BlockingIOError:
                return False
            if not piece:
                raise Failure("an established connection was closed")
            received += piece
            return len(received) == 1024
        self.until("an established connection answers", is_whole)
        if received != sent:
            raise Failure("an established connection got other bytes")

    def connect(self, port):
        client = socket.create_connection(("127.0.0.1", port))
        client.setblocking(False)
        return client

    def overload(self, resource):
        return self.gateway.metrics().sum("sluice_overload_active", resource=resource)

    def active(self):
        return int(self.gateway.metrics().sum("sluice_listener_connections_active"))

    def stuff(self):
        """Sends on every connection of the flood what the kernel takes; bytes."""
        sent, block = 0, bytes(65536)
        for client in self.flood:
            try:
                sent += client.send(block)
            except (BlockingIOError, ConnectionError):
                pass
        return sent

    def run(self, clients):
        self.old = [self.connect(self.echo_port) for _ in range(50)]
        for client in self.old:
            self.exchange(client)
        before = self.group.used
        for number in range(clients):
            self.flood.append(self.connect(self.sink_port))
            if number % 64 == 0:
                self.stuff()
                self.turn()
        quiet = held = 0
        while quiet < 20:
            quiet = 0 if self.stuff() else quiet + 1
            self.turn()
            held = max(held, int(self.gateway.metrics().sum("sluice_buffered_bytes")))
            time.sleep(0.01)
        self.until("the connection limit is told in the metrics", lambda: self.overload("connections") == 1)
        active = self.active()
        if active >= clients + len(self.old):
            raise Failure(f"nobody was refused: {active} connections are open")
        # Above the limit a direction that is blocked has read a buffer's worth at most.
        most = self.buffers + active * BUFFER
        if held > most:
            raise Failure(f"{held} bytes were held in buffers, and {most} are allowed")
        sockets = self.group.sockets
        detail = self.gateway.get(self.gateway.probe, "/readyz?verbose")
        if "accepting is paused" not in detail:
            raise Failure(f"readiness does not tell of it:\n{detail}")
        if "connection limit reached" not in self.gateway.journal.read_text():
            raise Failure("the log does not tell of it")
        for client in self.old:
            self.exchange(client)
        top, is_tight = self.group.peak, self.overload("memory") == 1
        print(f"limit {self.group.limit // MIB} MiB: {clients} clients came to {len(self.old)} old ones, {active} are served, "
              f"the others wait; {held / MIB:.1f} of {self.buffers / MIB:.0f} MiB held in buffers{', which is told as an overload' if is_tight else ''}; "
              f"the group used {before / MIB:.1f} MiB before, "
              f"{top / MIB:.1f} MiB at most, sockets {sockets / MIB:.1f} MiB; the process {self.gateway.census().anonymous_bytes / MIB:.1f} MiB")
        self.recover()

    def recover(self):
        started = time.monotonic()
        for client in self.flood:
            client.close()
        self.sink.close()
        self.until("accepting goes on", lambda: self.overload("connections") == 0)
        self.until("only the old connections are left", lambda: (self.sink.close(), self.active())[1] == len(self.old))
        self.until("the buffers are empty", lambda: self.gateway.metrics().sum("sluice_buffered_bytes") == 0)
        for client in self.old:
            self.exchange(client)
        late = self.connect(self.echo_port)
        self.exchange(late)
        if self.overload("memory") or "accepting is paused" in self.gateway.get(self.gateway.probe, "/readyz?verbose"):
            raise Failure("an overload is told of that is over")
        if self.group.kills != "0":
            raise Failure(f"the kernel ended {self.group.kills} processes for want of memory")
        print(f"recovered in {time.monotonic() - started:.1f} s; the group uses {self.group.used / MIB:.1f} MiB; "
              f"{len(self.old)} old connections never missed a byte")


def manifests(folder, ports, echo, sink):
    tcp = [{"name": name, "port": port, "protocol": "TCP"} for name, port in zip(("echo", "sink"), ports)]
    folder.put("gateway", folder.gateway("edge", tcp))
    folder.put("echo", folder.route("edge", "echo", ["echo"]), *folder.service("echo", echo.port))
    folder.put("sink", folder.route("edge", "sink", ["sink"]), *folder.service("sink", sink.port))


def main():
    arguments = argparse.ArgumentParser(prog="python3 -B -m trials.memory", description=__doc__)
    arguments.add_argument("binary", help="the sluice to try")
    arguments.add_argument("--limit", type=int, default=192, help="MiB of the cgroup")
    arguments.add_argument("--buffers", type=int, default=40, help="MiB of --buffer-memory")
    arguments.add_argument("--clients", type=int, default=4000)
    wanted = arguments.parse_args()
    allow_descriptors()
    ports = free_port(), free_port()
    echo, sink = Sink(echoes=True), Sink()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        objects = Folder(folder / "manifests", "default")
        manifests(objects, ports, echo, sink)
        with MemoryCgroup(f"sluice-memory-{time.time_ns()}", wanted.limit * MIB) as group, Processes(folder) as processes:
            binary = folder / "sluice"
            command = group.command([str(pathlib.Path(wanted.binary).resolve()), '"$@"'])
            binary.write_text("#!/bin/sh\nexec " + " ".join(f"'{part}'" if " " in part else part for part in command[:-1])
                              + ' "$@"\n')
            binary.chmod(0o755)
            gateway = Gateway(processes, folder, binary, objects.path, "--buffer-memory", f"{wanted.buffers}Mi")
            gateway.wait_until_ready()
            Trial(gateway, group, echo, sink, ports, wanted.buffers * MIB).run(wanted.clients)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as problem:
        sys.exit(f"memory: {problem}")
