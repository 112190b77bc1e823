"""What active health checks cost: the thread that makes them, which serves nothing else."""
import time

from ..accounting import cpu_seconds, sockets_waiting, thread_seconds
from ..failure import Failure
from ..subjects.checked import KINDS, CheckedInstance
from .measure import Figure, Measure

THREAD = "health"
MANY = "10,000 endpoints checked every 10 s, connect only"


class Checks(Measure):
    name = "checks"
    rounds = 3
    endpoints = 10_000
    interval = 10
    seconds = 20.0
    others = 2000  # endpoints of the other kinds of check, which are as many a second
    tls = 500
    others_interval = 2
    others_seconds = 6.0
    figures = [
        Figure("checks_core_percent", f"{MANY}: share of one core, %", 2),
        Figure("checks_process_percent", f"{MANY}: the whole process, idle else, share of one core, %", 2),
        Figure("checks_time_wait", "sockets in TIME_WAIT that checks left", 0),
        *(Figure(f"checks_us_{key}", f"health check, {kind.said}: CPU µs", 1) for key, kind in KINDS.items()),
    ]

    def suits(self, running):
        return running.subject.is_sluice

    def sample(self, running):
        values = {"checks_time_wait": 0}
        for kind in KINDS:
            if kind == "connect":
                endpoints, interval, seconds = self.endpoints, self.interval, self.seconds
            else:
                endpoints, interval, seconds = self.tls if kind == "tls" else self.others, self.others_interval, \
                    self.others_seconds
            instance = CheckedInstance(running.subject, kind, endpoints, interval)
            with instance.checking():
                each, values_of_kind = self._measure(instance, seconds)
                values[f"checks_us_{kind}"] = each
                values["checks_time_wait"] += sockets_waiting(instance.port)
                if kind == "connect":
                    values |= values_of_kind
        return values

    def _measure(self, instance, seconds):
        """µs of each check, and the shares of a core; whole intervals, so that each endpoint is checked as often."""
        checks, start = instance.passed(), time.monotonic()
        thread, process = thread_seconds(THREAD, *instance.pids), cpu_seconds(*instance.pids)
        time.sleep(seconds)
        process = cpu_seconds(*instance.pids) - process
        checks, passed = instance.passed() - checks, time.monotonic() - start
        thread = thread_seconds(THREAD, *instance.pids) - thread
        if instance.failed():
            raise Failure(f"{instance.name}: {instance.failed():.0f} checks of endpoints that are well have failed")
        if not checks:
            raise Failure(f"{instance.name} has checked nothing in {seconds} s")
        return thread / checks * 1e6, {
            "checks_core_percent": thread / passed * 100,
            "checks_process_percent": process / passed * 100,
        }
