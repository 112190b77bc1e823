"""Changes of the configuration: one each time that it is asked, of every kind in turn."""
import random

from .scenarios import PASSING


class Changes:
    """Notes in `timeline` what clients may notice of them."""

    def __init__(self, configuration, timeline):
        self._configuration, self._timeline = configuration, timeline
        self._random = random.Random(9)
        self.made = 0
        self._flapping, self._closed, self._passing = True, False, set()
        self._note()

    def step(self):
        """One change. What comes and goes does so seldom enough for clients to meet it as it is."""
        self.made += 1
        if self.made % 300 == 0:
            self._flap(not self._flapping)
        elif self.made % 250 == 125:
            self._guard(not self._closed)
        elif self.made % 40 == 20:
            self._pass(f"passing-{self._random.randrange(PASSING)}")
        else:
            self._random.choice([self._weigh, self._weigh, self._move_endpoints, self._tune_checks, self._throttle])()

    def restore(self):
        """Back to what there was at the start, so that what the gateway holds can be compared."""
        self._flap(True)
        self._guard(False)
        for name in list(self._passing):
            self._pass(name)
        a, b, c = (self._configuration.backends[name]["plain"] for name in "abc")
        self._configuration.write_service("pair", a, b, c)
        self._configuration.write_checks(500)
        self._configuration.write_throttle(4096)

    def _note(self):
        self._timeline.note("flapping", self._flapping)
        self._timeline.note("guarded", self._closed)
        for number in range(PASSING):
            self._timeline.note(f"passing-{number}", False)

    def _flap(self, there):
        self._flapping = there
        self._timeline.note("flapping", there)
        self._configuration.write_gateway(flapping=there)

    def _guard(self, closed):
        self._closed = closed
        self._timeline.note("guarded", closed)
        self._configuration.write_guard(closed)

    def _pass(self, name):
        there = name not in self._passing
        self._timeline.note(name, there)
        if there:
            self._passing.add(name)
            self._configuration.write_passing(name)
        else:
            self._passing.remove(name)
            self._configuration.folder.remove(f"route-{name}")

    def _weigh(self):
        listener = self._random.choice(["plain", "terminate", "mutual", "postgres", "throttled", "flapping", "guarded", "idle"])
        self._configuration.write_route(listener, {"a": self._random.randrange(1, 100), "b": self._random.randrange(1, 100)})

    def _move_endpoints(self):
        """One, two or three endpoints; sessions of those that go stay."""
        ports = [self._configuration.backends[name]["plain"] for name in "abc"]
        self._configuration.write_service("pair", *self._random.sample(ports, self._random.randrange(1, 4)))

    def _tune_checks(self):
        self._configuration.write_checks(self._random.randrange(300, 700))

    def _throttle(self):
        self._configuration.write_throttle(self._random.randrange(1024, 8192))
