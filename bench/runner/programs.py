"""Which programs are measured, and with which libraries: the machine's, or those of another Debian release in a folder.

A newer release's proxies and OpenSSL run on an older system through the newer one's dynamic loader, so that one machine
can measure with both, sluice's one binary included. scripts/debian-root makes such a folder."""
import pathlib

from .failure import Failure

LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
PLACES = ("usr/sbin", "usr/bin")


class Programs:
    def __init__(self, root=None):
        self._root = root.resolve() if root else None
        if self._root and not (self._root / LOADER).exists():
            raise Failure(f"{root} is no Debian root of this architecture ({LOADER} is not there): "
                          f"scripts/debian-root trixie {root}")

    def system(self):
        """What the folder's release calls itself; None where the machine's own programs are measured."""
        return None if not self._root else _pretty_name(self._root / "etc/os-release")

    def command(self, name):
        """How to start a program of the release."""
        if not self._root:
            return [name]
        for place in PLACES:
            if (self._root / place / name).exists():
                return self.with_libraries(self._root / place / name)
        raise Failure(f"{name} is not installed in {self._root}: scripts/debian-root")

    def with_libraries(self, path):
        """How to start a program of our own with the release's libraries."""
        if not self._root:
            return [path]
        return [self._root / LOADER, "--library-path", self._root / LIBRARIES, path]

    def file(self, path):
        """A file of the release, by its absolute path there."""
        return self._root / path.relative_to("/") if self._root else pathlib.Path(path)


def _pretty_name(path):
    for line in path.read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"
