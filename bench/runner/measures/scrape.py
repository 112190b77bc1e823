"""What a scrape of /metrics costs among thousands of routes, and whether others notice."""
import statistics
import threading
import time

from ..accounting import PeakMemory, thread_seconds
from ..subjects.scraped import ScrapedInstance
from .measure import Figure, Measure

THREAD = "probes"
ROUTES, SOME = 5000, 500
RATE, CONNECTIONS = 5000, 16
STATES = {"idle": "none used", "some": f"{SOME} used", "all": "all used"}


def _figures(key, said):
    what = f"scrape, {ROUTES:,} routes, {said}"
    yield Figure(f"scrape_{key}_cpu_ms", f"{what}: CPU ms", 1)
    yield Figure(f"scrape_{key}_ms", f"{what}: until it is read, ms", 1)
    yield Figure(f"scrape_{key}_mb", f"{what}: MB", 2)
    yield Figure(f"scrape_{key}_memory_mib", f"{what}: most memory meanwhile, MiB", 1)


class Scrape(Measure):
    name = "scrape"
    rounds = 3
    scrapes = 20
    seconds = 4.0
    figures = [
        *(figure for state in STATES.items() for figure in _figures(*state)),
        Figure("scrape_without_p99_us", f"messages at {RATE}/s, no scrape: p99 µs (open loop)", 0),
        Figure("scrape_beside_p99_us", f"the same, all {ROUTES:,} routes used, a scrape every second: p99 µs (open loop)", 0),
    ]

    def suits(self, running):
        return running.subject.is_sluice

    def sample(self, running):
        values = {}
        instance = ScrapedInstance(running.subject, ROUTES)
        with instance.running():
            for key, used in zip(STATES, (0, SOME, ROUTES)):
                instance.use(used)
                values |= self._measure(instance, key)
            values["scrape_without_p99_us"] = self._messages(instance)
            done = threading.Event()
            scraper = threading.Thread(target=self._every_second, args=(instance, done))
            scraper.start()
            try:
                values["scrape_beside_p99_us"] = self._messages(instance)
            finally:
                done.set()
                scraper.join()
        return values

    def _measure(self, instance, key):
        instance.scrape()
        memory, cpu, took = PeakMemory(*instance.pids), [], []
        for _ in range(self.scrapes):
            before, start = thread_seconds(THREAD, *instance.pids), time.perf_counter()
            size = instance.scrape()
            took.append((time.perf_counter() - start) * 1000)
            time.sleep(0.02)  # until the thread has put away what it sent
            cpu.append((thread_seconds(THREAD, *instance.pids) - before) * 1000)
        return {
            f"scrape_{key}_cpu_ms": statistics.median(cpu),
            f"scrape_{key}_ms": statistics.median(took),
            f"scrape_{key}_mb": size / 1e6,
            f"scrape_{key}_memory_mib": memory.grown_mib(),
        }

    @staticmethod
    def _every_second(instance, done):
        while not done.wait(1):
            instance.scrape()

    def _messages(self, instance):
        with self.scene.load.client(instance.name, "pingpong", instance.aside, "--gated", "--connections", CONNECTIONS,
                                    "--rate", RATE, "--seconds", self.seconds) as client:
            client.answer()
            client.go_on()
            return client.answer()["p99_us"]
