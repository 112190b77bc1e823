"""What every measure has in common."""
import dataclasses

from ..accounting import cpu_seconds


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a measure yields for each subject and round."""

    key: str
    title: str
    digits: int = 2
    better: str = "lower"  # or "higher"


class Measure:
    name: str
    rounds = 3
    figures: list = []
    fresh = False  # whether every sample gets an instance that has served nobody yet

    def __init__(self, scene, **sizes):
        """`sizes` replace attributes of the class: rounds, seconds, counts."""
        self.scene = scene
        for name, value in sizes.items():
            if not hasattr(type(self), name):
                raise AttributeError(f"{type(self).__name__} has no size '{name}'")
            setattr(self, name, value)
        self._sizes = sizes

    @property
    def sizes(self):
        """For the result."""
        return {**{name: getattr(self, name) for name in self._sizes}, "rounds": self.rounds}

    def suits(self, running):
        """Whether the subject can be measured at all."""
        return True

    def sample(self, running):
        """Measures once; returns a value for each figure's key (absent: not applicable to this subject)."""
        raise NotImplementedError


class CpuClock:
    """Processor time that a running subject spends inside the context."""

    def __init__(self, running):
        self._pids = running.pids
        self.seconds = None

    def __enter__(self):
        self._start = cpu_seconds(*self._pids)
        return self

    def __exit__(self, *_):
        self.seconds = cpu_seconds(*self._pids) - self._start if self._pids else None

    def per(self, amount):
        """Seconds per unit, or None where there is no process."""
        return None if self.seconds is None else self.seconds / amount
