"""Sluice with an access log and somebody who asks for its metrics, or without."""
import contextlib
import threading
import urllib.request

from ..failure import Failure
from ..load import Target
from ..ports import free_port
from .probed import ProbedInstance
from .subject import render

WAYS = ("off", "log", "scraped")
SCRAPES_EVERY_S = 1.0


class ObservedInstance(ProbedInstance):
    """One of WAYS: without a log, with one that goes to a file, and with that and a scrape each second."""

    def __init__(self, subject, way, number):
        super().__init__(subject, subject.folder / f"observed-{way}-{number}")
        self.way = way
        self._port = free_port()
        self._log = subject.folder / f"observed-{way}-{number}.log"

    def target(self):
        return Target(self._port)

    def _flags(self):
        return ["--access-log", "off" if self.way == "off" else self._log]

    def _write(self):
        self._folder.mkdir()
        (self._folder / "gateway.yaml").write_text(render("observability/gateway.yaml", {"echo": self._port}))
        service = {"name": "echo", "port": self._subject.scene.backends.ports["echo"]}
        (self._folder / "service.yaml").write_text(render("sluice/service.yaml", service))

    @contextlib.contextmanager
    def observed(self):
        """Asks for the metrics meanwhile, where that is this one's way."""
        if self.way != "scraped":
            yield
            return
        over, problems = threading.Event(), []
        scraper = threading.Thread(target=self._scrape, args=(over, problems))
        scraper.start()
        try:
            yield
        finally:
            over.set()
            scraper.join()
        if problems:
            raise Failure(f"{self.name} does not answer with its metrics: {problems[0]}")

    def _scrape(self, over, problems):
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/metrics", timeout=5) as answer:
                    answer.read()
            except OSError as error:
                problems.append(error)
                return
            if over.wait(SCRAPES_EVERY_S):
                return

    def check_lines(self, connections):
        """Raises where a line is missing, or one is there that should not be."""
        expected = 0 if self.way == "off" else connections
        self.wait(f"has not {expected} lines in its access log, but {self._lines()},", lambda: self._lines() >= expected)
        if self._lines() != expected:
            raise Failure(f"{self.name} has {self._lines()} lines in its access log, not {expected}")

    def _lines(self):
        if not self._log.exists():
            return 0
        with self._log.open("rb") as lines:
            return sum(piece.count(b"\n") for piece in iter(lambda: lines.read(1 << 20), b""))
