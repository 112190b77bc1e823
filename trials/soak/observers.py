"""Those who look at the gateway meanwhile: Prometheus, the status page, an operator's commands."""
import threading
import time
import urllib.error

from .judge import TCP_MEMORY

PATHS = ("/", "/status", "/traffic", "/connections?limit=200&sort=bytes", "/history", "/config",
         "/explain?kind=TCPRoute&namespace=soak&name=plain", "/connections?state=relaying&client=127.0.0.0/8")
EVERY_S = 1.0


class Observers:
    """A thread that asks for metrics each second, and for one of PATHS."""

    def __init__(self, gateway, complain, timeline):
        self._gateway, self._complain, self._timeline = gateway, complain, timeline
        self._over = threading.Event()
        self.scrapes = self.pages = 0
        self.slowest_s = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(EVERY_S):
            start = time.monotonic()
            try:
                if not self._gateway.metrics().matching("sluice_config_generation"):
                    self._complain("metrics without a generation of the configuration")
                self.scrapes += 1
                path = PATHS[self.pages % len(PATHS)]
                if not self._gateway.get(self._gateway.admin, path):
                    self._complain(f"nothing in answer to {path}")
                self.pages += 1
            except (OSError, ValueError, urllib.error.URLError) as error:
                now = time.time()
                time.sleep(1)  # so that the kernel's doings are known
                if not self._timeline.touched(TCP_MEMORY, "short", now, now):
                    self._complain(f"asking the gateway: {type(error).__name__}: {error}")
            self.slowest_s = max(self.slowest_s, time.monotonic() - start)
