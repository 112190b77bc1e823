"""What a process holds, as the kernel counts it."""
import dataclasses
import os
import pathlib


@dataclasses.dataclass(frozen=True)
class Census:
    threads: int
    descriptors: int  # all of them, sockets and pipes included
    sockets: int
    pipes: int  # pairs: both ends of a pipe are one
    others: int  # descriptors that are neither: files, epoll, eventfd, inotify…
    resident_bytes: int
    anonymous_bytes: int  # the part that no file stands behind: heap, stacks, buffers
    cpu_seconds: float


def census(pid):
    process = pathlib.Path(f"/proc/{pid}")
    kinds = [_kind(link) for link in (process / "fd").iterdir()]
    status = _fields(process / "status")
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return Census(
        threads=int(status["Threads"]), descriptors=sum(kind is not None for kind in kinds),
        sockets=kinds.count("socket"), pipes=(kinds.count("pipe") + 1) // 2,
        others=sum(kind not in (None, "socket", "pipe") for kind in kinds),
        resident_bytes=_kibibytes(status["VmRSS"]), anonymous_bytes=_kibibytes(status["RssAnon"]),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


def _kind(link):
    """What a descriptor is of; None where it has been closed meanwhile."""
    try:
        return os.readlink(link).partition(":")[0]
    except OSError:
        return None


def anonymous_bytes(pid):
    """That alone, which costs nothing: no descriptor is looked at."""
    return _kibibytes(_fields(pathlib.Path(f"/proc/{pid}/status"))["RssAnon"])


def _fields(path):
    return {name: value.strip() for name, _, value in (line.partition(":") for line in path.read_text().splitlines())}


def _kibibytes(text):
    return int(text.removesuffix(" kB")) * 1024
