"""What every measure has in common."""
import dataclasses

from ..accounting import cpu_seconds


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a measure yields for each subject and round."""

    key: str
    title: str
    digits: int = 2


class Measure:
    name: str
    rounds = 3
    figures: list = []
    fresh = False  # whether every sample gets an instance that has served nobody yet

    def __init__(self, scene):
        self.scene = scene

    def suits(self, running):
        """Whether the subject can be measured at all."""
        return True

    def sample(self, running):
        """Measures once; returns a value for each figure's key (absent: not applicable to this subject)."""
        raise NotImplementedError


class CpuClock:
    """Processor time that a running subject spends inside the context."""

    def __init__(self, running):
        self._pid = running.pid
        self.seconds = None

    def __enter__(self):
        self._start = cpu_seconds(self._pid) if self._pid else 0
        return self

    def __exit__(self, *_):
        self.seconds = cpu_seconds(self._pid) - self._start if self._pid else None

    def per(self, amount):
        """Seconds per unit, or None where there is no process."""
        return None if self.seconds is None else self.seconds / amount
