"""Reads a file that is renamed and made anew, line by line, and removes what was read."""
import os


class Tail:
    """The lines of `path`, across rotations by `rotate`."""

    def __init__(self, path):
        self._path = path
        self._files = []  # renamed ones, the oldest first, and the one that is written
        self._rest = b""
        self.rotations = 0

    def rotate(self, reopen):
        """Renames the file and calls `reopen`, which makes its writer open it again; not while it has not done so after the last time."""
        if not self._path.exists():
            return
        self._open()
        renamed = self._path.with_name(f"{self._path.name}.{self.rotations}")
        os.rename(self._path, renamed)
        self.rotations += 1
        self._files[-1] = (self._files[-1][0], renamed)
        reopen()

    def lines(self):
        """What has come since the last call: whole lines, as bytes."""
        self._open()
        while self._files:
            file, path = self._files[0]
            read = self._rest + file.read()
            *whole, self._rest = read.split(b"\n")
            yield from whole
            # A file behind it has been written to (the next one may have been renamed before a line came): the writer
            # has left this one, though what it wrote last may have come after our look.
            if not any(os.fstat(later.fileno()).st_size for later, _ in self._files[1:]):
                return
            *whole, self._rest = (self._rest + file.read()).split(b"\n")
            yield from whole
            file.close()
            path.unlink()
            del self._files[0]

    def close(self):
        for file, _ in self._files:
            file.close()

    def _open(self):
        current = self._files[-1][1] if self._files else None
        if current != self._path and self._path.exists():
            self._files.append((open(self._path, "rb"), self._path))
