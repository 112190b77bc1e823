"""TLS passed through by one of 10,000 server names: what the start and the table cost."""
import random
import socket
import time

from ..accounting import cpu_seconds, settled_memory_kib
from ..failure import Failure
from ..hello import client_hello
from ..subjects.names.kinds import named_subject
from ..subjects.names.named import PATTERN, host_name
from .measure import CpuClock, Figure, Measure

NAMES = 10000
AT_A_TIME = 16
FIRST = 1000
PATIENCE_S = 40
# Forms of a configuration other than the first: nginx has one.
FORMS = {"": "", "_addresses": " (addresses, no upstreams)"}


def _figures(suffix, said):
    many = f"{NAMES:,} SNI routes{said}"
    yield Figure(f"names_start{suffix}_ms", f"{many}: from exec to the first name served, ms", 0)
    yield Figure(f"names_start_cpu{suffix}_ms", f"{many}: CPU of the start, ms", 0)
    yield Figure(f"names_memory_start{suffix}_mib", f"{many}: memory after the start, MiB", 1)
    yield Figure(f"names_memory{suffix}_mib", f"{many}: memory after {FIRST:,} connections, MiB", 1)
    yield Figure(f"names_first{suffix}_cpu_us", f"{many}: each of the first {FIRST:,} connections, CPU µs", 1)


class Names(Measure):
    name = "names"
    rounds = 3
    figures = [figure for form in FORMS.items() for figure in _figures(*form)]

    def suits(self, running):
        return named_subject(running.subject) is not None

    def sample(self, running):
        subject = named_subject(running.subject)
        values = {}
        for form in subject.forms:
            with subject.prepared(NAMES, form) as named:
                values |= self._measure(named, form)
        return values

    def _measure(self, named, form):
        start = started_ms(named)
        cpu = cpu_seconds(*named.pids)
        before = settled_memory_kib(*named.pids)
        with CpuClock(named) as clock:
            connect(self.scene.load, named, FIRST)
        return {
            f"names_start{form}_ms": start,
            f"names_start_cpu{form}_ms": cpu * 1000,
            f"names_memory_start{form}_mib": before / 1024,
            f"names_memory{form}_mib": settled_memory_kib(*named.pids) / 1024,
            f"names_first{form}_cpu_us": clock.per(FIRST / 1e6),
        }


def connect(load, named, count):
    """Connections by random names, one echo each."""
    return load.run(named.subject.name, "connect", named.target, "--hello", PATTERN, "--names", named.count,
                    "--seed", random.randrange(1 << 30), "--count", count, "--connections", AT_A_TIME)


def started_ms(named):
    """Starts it; the time until a connection by a random name is answered."""
    hello = client_hello(host_name(random.randrange(named.count)))
    start = time.perf_counter()
    named.start()
    while not _echoes(named.port, hello):
        named.started.check()
        if time.perf_counter() - start > PATIENCE_S:
            raise Failure(f"{named.subject.name} serves no name after {PATIENCE_S} s:\n{named.started.log_end()}")
        time.sleep(0.0005)
    return (time.perf_counter() - start) * 1000


def _echoes(port, hello):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(hello)
            return connection.recv(len(hello), socket.MSG_WAITALL) == hello
    except OSError:
        return False
