"""The load generator (bench/load): builds it, starts its servers, runs its clients."""
import contextlib
import json
import pathlib
import shutil
import subprocess
import typing

from .failure import Failure

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "load"


class Target(typing.NamedTuple):
    """Where a client connects to, and how it speaks."""

    port: int
    server_name: str | None = None
    authority: pathlib.Path | None = None  # the client speaks TLS, and verifies the server's name

    def flags(self):
        tls = ["--ca", self.authority, "--server-name", self.server_name] if self.authority else []
        return ["--to", f"127.0.0.1:{self.port}", *tls]


def build(folder):
    """Compiles the load generator where it is out of date; returns its path."""
    # A Swift toolchain brings clang, so that a machine without a system compiler still has one.
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise Failure("no C compiler found in PATH (cc or clang)")
    command = ["make", "--silent", "-C", SOURCES, f"BUILD={folder}", f"CC={compiler}"]
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode:
        raise Failure(f"the load generator does not build:\n{outcome.stdout}{outcome.stderr}")
    return folder / "load"


class Client:
    """A running client; each line it prints is an answer."""

    def __init__(self, started):
        self._started = started

    def answer(self):
        line = self._started.process.stdout.readline()
        if not line:
            self._started.process.wait()
            raise Failure(f"{self._started.name} failed:\n{self._started.log_end()}\n"
                          f"  command: {' '.join(self._started.command)}")
        return json.loads(line)

    def go_on(self):
        """Opens the gate that the client waits at."""
        self._started.process.stdin.write("\n")
        self._started.process.stdin.flush()


# Seconds after which a client that hangs has failed. Far above what any measurement takes.
PATIENCE_S = 40


class Load:
    def __init__(self, binary, processes):
        self._binary = binary
        self._processes = processes

    def serve(self, name, mode, *flags, host="127.0.0.1", port=0):
        """Starts a server for the rest of the run; returns (process, port). With 0.0.0.0 it has every loopback address."""
        command = [self._binary, mode, "--listen", f"{host}:{port}", *flags]
        started = self._processes.start(name, command, talks=True)
        return started, Client(started).answer()["port"]

    @contextlib.contextmanager
    def client(self, subject, mode, target, *flags):
        """A client for one measurement, ended with it."""
        command = [self._binary, mode, *target.flags(), "--deadline", PATIENCE_S, *flags]
        started = self._processes.start(f"{mode}-{subject}", command, talks=True)
        try:
            yield Client(started)
        finally:
            self._processes.end(started)

    def run(self, subject, mode, target, *flags):
        """Runs a client to its end; returns what it measured."""
        with self.client(subject, mode, target, *flags) as client:
            return client.answer()
