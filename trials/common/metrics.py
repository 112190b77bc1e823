"""Prometheus' text format, as far as sluice writes it."""
import re

_SAMPLE = re.compile(r'^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """The samples of one scrape."""

    def __init__(self, text):
        self.samples = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                found = _SAMPLE.match(line)
                if not found:
                    raise ValueError(f"not a sample: {line}")
                self.samples.append((found[1], dict(_LABEL.findall(found[2] or "")), float(found[3])))

    def matching(self, name, **labels):
        """(Labels, value) of each sample of that name with these labels."""
        return [(found, value) for sample, found, value in self.samples
                if sample == name and all(found.get(label) == wanted for label, wanted in labels.items())]

    def sum(self, name, **labels):
        return sum(value for _, value in self.matching(name, **labels))
