"""Starts processes, and ends exactly those, whatever happens to the runner."""
import ctypes
import dataclasses
import pathlib
import signal
import subprocess

from .failure import Failure

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
        """Asks the process to end, and after 3 s makes it."""
        if self.process.poll() is None:
            self.process.send_signal(self.ended_by)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
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
                preexec_fn=_die_with_parent,
            )
        started = Started(name, command, process, log, ended_by)
        self._running.append(started)
        self.commands.append(command)
        return started

    def end(self, started):
        self._running.remove(started)
        started.end()
