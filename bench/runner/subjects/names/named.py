"""What the proxies with many names have in common."""
import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal

from ...load import Target
from ...ports import free_port

# What the load generator makes its names of.
PATTERN = "n#.names.bench.test"


def host_name(index):
    return PATTERN.replace("#", str(index))


def drafted(path, text):
    """Writes a new content beside a file; what is returned moves it into place, as careful users and volume mounts do."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    return lambda: os.rename(draft, path)


@dataclasses.dataclass
class Named:
    """An instance with `count` names, numbered from 0, that lead to the echo backend until they are changed."""

    subject: object
    form: str
    folder: pathlib.Path
    count: int
    port: int
    admin: int  # a second port, where the proxy has use for it
    changes: bool  # whether its routes are to be changed: what that takes is in the configuration
    targets: dict = dataclasses.field(default_factory=dict)
    command: list = None
    started: object = None

    def start(self):
        self.started = self.subject.scene.processes.start(self.subject.name, self.command, ended_by=self.subject.ended_by)

    @property
    def pids(self):
        """The proxy's process; its children, the workers, are found from it."""
        return [self.started.pid]

    @property
    def target(self):
        return Target(self.port)


class NamedSubject:
    """Starts a proxy with any number of names. Subclasses say how, and how a route of theirs is changed."""

    # Ways to write the configuration, by the suffix of the figures' keys.
    forms = ("",)
    # Ways to change a route, by the suffix of the figures' keys: methods that take (named, index, backend), make everything
    # ready, and return what hands the change over. `backend` is greet-a or greet-b.
    ways: dict = {}
    ended_by = signal.SIGTERM

    def __init__(self, subject):
        self.subject = subject
        self.scene = subject.scene
        self.name = subject.name
        self._instances = 0

    @property
    def backends(self):
        """Their ports, by name."""
        return self.scene.backends.ports

    def write(self, named):
        """Writes the configuration and returns the command that serves it."""
        raise NotImplementedError

    @contextlib.contextmanager
    def prepared(self, count, form="", changes=False):
        """An instance that has yet to be started; ended with the context."""
        self._instances += 1
        folder = self.subject.folder / f"names-{self._instances}"
        folder.mkdir()
        named = Named(self, form, folder, count, free_port(), free_port(), changes)
        try:
            named.command = self.write(named)
            yield named
        finally:
            if named.started:
                self.scene.processes.end(named.started)
            shutil.rmtree(folder)
