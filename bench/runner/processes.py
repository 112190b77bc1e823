"""Starts processes, and ends exactly those, whatever happens to the runner."""
import contextlib
import ctypes
import dataclasses
import os
import pathlib
import signal
import subprocess

from .failure import Failure

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent(by):
    _libc.prctl(_PR_SET_PDEATHSIG, by)


def family(pid):
    """A process and its children (workers), as far as they still are."""
    yield pid
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in children:
        yield from family(int(child))


@dataclasses.dataclass
class Started:
    name: str
    command: list
    process: subprocess.Popen
    log: pathlib.Path
    ended_by: int

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        """Raises when the process has ended, with the end of its log."""
        status = self.process.poll()
        if status is not None:
            raise Failure(f"{self.name} ended with {status}:\n{self.log_end()}\n  command: {' '.join(self.command)}")

    def log_end(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-15:]) or "  | (nothing logged)"

    def end(self):
        """Asks the process to end, and after 3 s makes it and its children."""
        if self.process.poll() is None:
            self.process.send_signal(self.ended_by)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                # Nobody would end the workers of a parent that was killed.
                for pid in reversed(list(family(self.pid))):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Processes:
    """Everything this run has started, in order; leaving the context ends it in reverse."""

    def __init__(self, folder):
        self.folder = folder
        self.commands = []
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self._running:
            self._running.pop().end()

    def start(self, name, command, *, talks=False, ended_by=signal.SIGTERM):
        """Starts a command. Its errors (and, unless it `talks` over pipes, its output) go to NAME.log."""
        log = self.folder / f"{name}.log"
        command = [str(part) for part in command]
        with open(log, "ab") as sink:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else sink,
                stderr=sink,
                text=True,
                # No proxy writes a line of each connection.
                env={**os.environ, "SLUICE_ACCESS_LOG": "off"},
                # By the signal that ends it in earnest: it is the only one by which a parent takes its workers along.
                preexec_fn=lambda: _die_with_parent(ended_by),
            )
        started = Started(name, command, process, log, ended_by)
        self._running.append(started)
        self.commands.append(command)
        return started

    def end(self, started):
        self._running.remove(started)
        started.end()
