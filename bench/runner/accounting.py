"""What a proxy has used, by the kernel's own accounting."""
import pathlib
import time


def _tree(pid):
    """A process and its children (workers), as /proc folders."""
    folder = pathlib.Path("/proc") / str(pid)
    yield folder
    for child in (folder / "task" / str(pid) / "children").read_text().split():
        yield from _tree(child)


def _trees(pids):
    for pid in pids:
        yield from _tree(pid)


def cpu_seconds(*pids):
    """Processor time, user and system, of all threads of processes and their children.

    It is the run time that utime and stime of /proc/PID/stat are scaled to, in nanoseconds instead of ticks of 10 ms.
    """
    total = 0
    for folder in _trees(pids):
        for task in (folder / "task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


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
