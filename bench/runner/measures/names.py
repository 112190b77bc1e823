"""TLS passed through by server name, with few names and with many: what a start, the table and a connection cost."""
import contextlib
import random
import socket
import time

from ..accounting import cpu_seconds, settled_memory_kib
from ..failure import Failure
from ..hello import client_hello
from ..subjects.names.kinds import named_subject
from ..subjects.names.named import PATTERN, host_name
from .measure import CpuClock, Figure, Measure

COUNTS = (1, 1000, 10000)
MOST = COUNTS[-1]
AT_A_TIME = 16
WARM_UP = 1000
PATIENCE_S = 40
# Forms of a configuration other than the first: nginx has one.
FORMS = {"": "", "_addresses": " (addresses, no upstreams)"}


def _figures(suffix, said):
    many = f"{MOST:,} SNI routes{said}"
    yield Figure(f"names_start{suffix}_ms", f"{many}: from exec to the first name served, ms", 0)
    yield Figure(f"names_start_cpu{suffix}_ms", f"{many}: CPU of the start, ms", 0)
    yield Figure(f"names_memory_start{suffix}_mib", f"{many}: memory after the start, MiB", 1)
    yield Figure(f"names_memory{suffix}_mib", f"{many}: memory after {WARM_UP:,} connections, MiB", 1)
    for count in COUNTS:
        yield Figure(f"sni_cpu_us{suffix}_{count}", f"SNI passthrough connection, {count:,} names{said}: CPU µs", 1)
        yield Figure(f"sni_per_s{suffix}_{count}", f"SNI passthrough connection, {count:,} names{said}: per second", 0, "higher")
    yield Figure(f"sni_cpu_growth{suffix}", f"SNI passthrough connection{said}: CPU at {MOST:,} names / at 1 name", 3)


class Names(Measure):
    name = "names"
    rounds = 5
    count = 2000
    figures = [figure for form in FORMS.items() for figure in _figures(*form)]

    def suits(self, running):
        return named_subject(running.subject) is not None

    def sample(self, running):
        subject = named_subject(running.subject)
        values = {}
        for form in subject.forms:
            values |= self._measure(subject, form)
        return values

    def _measure(self, subject, form):
        with contextlib.ExitStack() as stack:
            instances = {count: stack.enter_context(subject.prepared(count, form)) for count in COUNTS}
            taken = {count: started_ms(named) for count, named in instances.items()}
            most = instances[MOST]
            values = {f"names_start{form}_ms": taken[MOST], f"names_start_cpu{form}_ms": cpu_seconds(*most.pids) * 1000,
                      f"names_memory_start{form}_mib": settled_memory_kib(*most.pids) / 1024}
            for named in instances.values():
                self._connect(named, WARM_UP)
            values[f"names_memory{form}_mib"] = settled_memory_kib(*most.pids) / 1024
            return values | self._connections(instances, form)

    def _connections(self, instances, form):
        """There and back again, so that what drifts meets few names as it meets many."""
        cpu, seconds = dict.fromkeys(instances, 0), dict.fromkeys(instances, 0)
        for count in [*instances, *reversed(instances)]:
            with CpuClock(instances[count]) as clock:
                per_second = self._connect(instances[count], self.count)["per_second"]
            cpu[count] += clock.seconds
            seconds[count] += self.count / per_second
        values = {}
        for count in instances:
            values[f"sni_cpu_us{form}_{count}"] = cpu[count] / (2 * self.count) * 1e6
            values[f"sni_per_s{form}_{count}"] = 2 * self.count / seconds[count]
        return values | {f"sni_cpu_growth{form}": cpu[MOST] / cpu[COUNTS[0]]}

    def _connect(self, named, count):
        return self.scene.load.run(named.subject.name, "connect", named.target, "--hello", PATTERN, "--names", named.count,
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
