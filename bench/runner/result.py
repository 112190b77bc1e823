"""The result of a run: one JSON object, the only thing that report, plots and comparisons read.

schema        1; whoever changes the meaning of what is here raises it
date, mode    when it began (UTC), "smoke" or "full"; `seconds` is how long it took
machine       what the figures depend on, as found; `load_average` before and after; `programs` of which release were measured
subjects      by name: version, TLS library, SHA-256 of each committed configuration (by its path in bench/configs)
measures      in the order of the run, as far as it came: name, sizes, figures (key, title with the unit, digits to show, which is
              better), and rounds: for each one {subject: {key: value}}; a subject that failed or does not fit is absent
noise         by measure, key and subject: (highest - lowest) / median of its rounds, where there were several
failures      what did not complete, or came out wrong; empty in a good run
commands      one of each kind, relative to the repository
"""
import hashlib
import json

from . import statistics
from .subjects.subject import CONFIGURATIONS

SCHEMA = 1


def of(measures, subjects, versions, measured):
    """The part of a result that comes from the measurement itself."""
    measures = [measure for measure in measures if measure.name in measured.values]
    return {
        "subjects": {subject.name: _subject(subject, versions[subject.name]) for subject in subjects},
        "measures": [{
            "name": measure.name,
            "sizes": measure.sizes,
            "figures": [{"key": figure.key, "title": figure.title, "digits": figure.digits, "better": figure.better}
                        for figure in measure.figures],
            "rounds": _rounded(measured.values[measure.name]),
        } for measure in measures],
        "noise": {measure.name: _noise(measure, subjects, measured.values[measure.name]) for measure in measures},
        "failures": measured.failures,
    }


def write(path, result):
    path.write_text(lines(result) + "\n")


def _subject(subject, version):
    return {
        "version": version.release,
        "tls": version.tls,
        "configurations": {name: hashlib.sha256((CONFIGURATIONS / name).read_bytes()).hexdigest()
                           for name in subject.configurations},
    }


def _noise(measure, subjects, rounds):
    found = {}
    for figure in measure.figures:
        for subject in subjects:
            value = statistics.noise(rounds, subject.name, figure.key)
            if value is not None:
                found.setdefault(figure.key, {})[subject.name] = round(value, 4)
    return found


def _rounded(rounds):
    """Six significant digits are more than any clock here gives."""
    return [{subject: {key: float(f"{value:.6g}") for key, value in values.items() if value is not None}
             for subject, values in each.items()} for each in rounds]


def lines(value, depth=0):
    """JSON of few lines that a person can still read: the outer levels are broken, the inner ones are not."""
    if depth == 4 or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, ensure_ascii=False)
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        parts = [f"{pad}{json.dumps(key, ensure_ascii=False)}: {lines(each, depth + 1)}" for key, each in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * depth + "}"
    parts = [pad + lines(each, depth + 1) for each in value]
    return "[\n" + ",\n".join(parts) + "\n" + " " * depth + "]"
