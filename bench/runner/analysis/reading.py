"""A result as it was written by `runner/result.py`, read and checked."""
import dataclasses
import json
import math
import re

from ..failure import Failure

SCHEMA = 1

OURS = "sluice"
OLDER = "against"
# What the load generator reaches without a proxy: shown, and nobody's rival.
NO_PROXY = "direct"


# Which programs were measured, where they were not another release's.
MACHINES_OWN = "the machine's"


@dataclasses.dataclass(frozen=True)
class Figure:
    """What a number means. `title` is "what: unit", with a note in brackets behind it at times."""

    measure: str
    key: str
    title: str
    digits: int
    better: str  # "lower" or "higher"

    @property
    def what(self):
        return self.title.rpartition(": ")[0] or self.title

    @property
    def unit(self):
        return self.title.rpartition(": ")[2] if ": " in self.title else ""


@dataclasses.dataclass(frozen=True)
class Subject:
    name: str
    version: str
    tls: str
    configurations: dict  # SHA-256 by path in bench/configs

    @property
    def tls_line(self):
        """The library and its release line, which is what makes TLS comparable: "OpenSSL 3.0"; None where it can't be told."""
        found = re.search(r"([A-Za-z]*SSL)\s*(\d+\.\d+)?", self.tls or "")
        return " ".join(part for part in found.groups() if part) if found else None


class Result:
    """One run."""

    def __init__(self, name, content):
        self.name = name
        self.date = content["date"]
        self.mode = content["mode"]
        self.machine = content["machine"]
        self.programs = content.get("programs", MACHINES_OWN)
        self.subjects = {name: Subject(name, each["version"], each["tls"], each["configurations"])
                         for name, each in content["subjects"].items()}
        self.sizes = {each["name"]: each["sizes"] for each in content["measures"]}
        self.failures = content["failures"]
        self.commands = content["commands"]
        self.seconds = content["seconds"]
        self.load_average = content["load_average"]
        self.figures = {}
        self._rounds = {}
        for measure in content["measures"]:
            for each in measure["figures"]:
                self._add(Figure(measure["name"], each["key"], each["title"], each["digits"], each["better"]), measure["rounds"])

    def _add(self, figure, rounds):
        if figure.key in self.figures:
            raise ValueError(f"the figure '{figure.key}' is there twice")
        if figure.better not in ("lower", "higher"):
            raise ValueError(f"the figure '{figure.key}' says that '{figure.better}' is better; allowed: lower, higher")
        self.figures[figure.key] = figure
        self._rounds[figure.key] = [_numbers(each, figure.key) for each in rounds]

    def rounds(self, key):
        """One figure, round by round: {subject: value}."""
        return self._rounds.get(key, [])

    def values(self, key, subject):
        return [each[subject] for each in self.rounds(key) if subject in each]

    def peers(self, key):
        """Who else has been measured, in the order of the run."""
        return [name for name in self.subjects if name not in (OURS, OLDER, NO_PROXY) and self.values(key, name)]


def _numbers(taken, key):
    found = {}
    for subject, values in taken.items():
        value = values.get(key)
        if value is None:
            continue
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"the figure '{key}' of {subject} is {value!r}, not a number")
        found[subject] = value
    return found


def read(path):
    """Reads a result; raises Failure with what is wrong and in which file."""
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(f"{path}: not JSON: {error}") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        found = "no schema is named" if schema is None else f"schema {schema!r}"
        raise Failure(f"{path}: {found}; this tool reads schema {SCHEMA}, which bench/run and bench/smoke write now")
    try:
        return Result(path.name, content)
    except KeyError as error:
        raise Failure(f"{path}: the field {error} is missing") from None
    except (TypeError, AttributeError, ValueError) as error:
        raise Failure(f"{path}: {error}") from None
