"""What a proxy has used, by the kernel's own accounting."""
import pathlib
import time

from .failure import Failure
from .processes import family


def _trees(pids):
    """Processes and their children, as /proc folders."""
    return [pathlib.Path(f"/proc/{member}") for pid in pids for member in family(pid)]


def cpu_seconds(*pids):
    """Processor time, user and system, of all threads of processes and their children.

    It is the run time that utime and stime of /proc/PID/stat are scaled to, in nanoseconds instead of ticks of 10 ms.
    """
    total = 0
    for folder in _trees(pids):
        for task in (folder / "task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def thread_seconds(name, *pids):
    """Processor time, user and system, of the threads of that name; raises where there is none."""
    tasks = [task for folder in _trees(pids) for task in (folder / "task").iterdir()
             if (task / "comm").read_text().rstrip("\n") == name]
    if not tasks:
        raise Failure(f"no thread is called {name}")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _pss_kib(pids):
    total = 0
    for folder in _trees(pids):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def settled_memory_kib(*pids, patience=2.0):
    """Proportional set size once it has stopped changing (two readings 50 ms apart are equal), or after `patience` s."""
    deadline = time.monotonic() + patience
    last = _pss_kib(pids)
    while time.monotonic() < deadline:
        time.sleep(0.05)
        current = _pss_kib(pids)
        if current == last:
            break
        last = current
    return last


def _status_kib(pids, field):
    total = 0
    for folder in _trees(pids):
        for line in (folder / "status").read_text().splitlines():
            if line.startswith(field):
                total += int(line.split()[1])
    return total


class PeakMemory:
    """How far the resident memory of processes and their children rose above where it was, by the kernel's own record: nothing
    is polled, so that nothing disturbs what is measured. Memory that processes share is in the start as in the peak."""

    def __init__(self, *pids):
        self._pids = pids
        for folder in _trees(pids):
            (folder / "clear_refs").write_text("5")  # the peak begins anew
        self._start = _status_kib(pids, "VmRSS:")

    def grown_mib(self):
        """By how many MiB until now, or None where there is no process."""
        return max(_status_kib(self._pids, "VmHWM:") - self._start, 0) / 1024 if self._pids else None


def kernel_slab_kib():
    """What the kernel's own structures (sockets, pipes, files) take on the whole machine; not what waits in them."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("Slab:"):
            return int(line.split()[1])
    return 0


def sockets_waiting(port):
    """How many TCP sockets over IPv4 are in TIME_WAIT with the port at either end, on the whole machine."""
    waiting, end = "06", f":{port:04X}"
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[3] == waiting and (row[1].endswith(end) or row[2].endswith(end)) for row in rows)


def listen_overflows():
    """How many connections have met a full queue of a listening socket, on the whole machine, and had to be tried again."""
    names, values = (line.split() for line in pathlib.Path("/proc/net/netstat").read_text().splitlines()
                     if line.startswith("TcpExt:"))
    return int(dict(zip(names, values))["ListenOverflows"])
