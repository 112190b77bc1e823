"""A memory cgroup of one process, of version 2 where the controller is there, else of version 1."""
import pathlib
import time

from ..common.bench import Failure

ROOT = pathlib.Path("/sys/fs/cgroup")


class MemoryCgroup:
    """Made when entered, removed with the last process gone."""

    def __init__(self, name, limit):
        controllers = ROOT / "cgroup.controllers"
        self.is_v2 = controllers.exists() and "memory" in controllers.read_text().split()
        self.mount = ROOT if self.is_v2 else ROOT / "memory"
        self.path = self.mount / name
        self.limit = limit

    def __enter__(self):
        try:
            if self.is_v2:
                (ROOT / "cgroup.subtree_control").write_text("+memory")
            self.path.mkdir()
            self._write("memory.max" if self.is_v2 else "memory.limit_in_bytes", self.limit)
        except OSError as error:
            raise Failure(f"no memory cgroup can be made: {error}") from None
        if not self.is_v2:
            # Sockets count as they do in version 2.
            self._write("memory.kmem.tcp.limit_in_bytes", self.limit, must=False)
        return self

    def __exit__(self, *_):
        for _ in range(100):
            try:
                return self.path.rmdir()
            except OSError:
                time.sleep(0.05)

    def command(self, program):
        """Runs a program in the group, to which the group is what it would be to a container's."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f'echo $$ > {self.path}/cgroup.procs && mount --bind {self.path} {self.mount} && exec "$@"', "sh", *program]

    @property
    def used(self):
        return self._read("memory.current" if self.is_v2 else "memory.usage_in_bytes")

    @property
    def peak(self):
        return self._read("memory.peak" if self.is_v2 else "memory.max_usage_in_bytes")

    @property
    def sockets(self):
        """Of sockets; in version 1 it counts by itself."""
        if not self.is_v2:
            return self._read("memory.kmem.tcp.max_usage_in_bytes")
        stat = dict(line.split() for line in (self.path / "memory.stat").read_text().splitlines())
        return int(stat["sock"])

    @property
    def kills(self):
        """Processes that the kernel ended for want of memory."""
        text = (self.path / ("memory.events" if self.is_v2 else "memory.oom_control")).read_text()
        return dict(line.split() for line in text.splitlines())["oom_kill"]

    def _read(self, name):
        return int((self.path / name).read_text())

    def _write(self, name, value, must=True):
        try:
            (self.path / name).write_text(str(value))
        except OSError:
            if must:
                raise
