"""Measures the subjects in turn, round by round, so that a change in the machine's mood meets all of them."""
import contextlib
import sys
import time

from .failure import Failure


class Rounds:
    """What was measured: by measure a list of rounds, each {subject: {figure: value}}; and what failed."""

    def __init__(self, measures, subjects, progress=sys.stderr):
        self.values = {}
        self.failures = []
        self._progress = progress
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(subject.running()) for subject in subjects]
            for measure in measures:
                suited = [each for each in running if measure.suits(each)]
                self.values[measure.name] = self._measure(measure, suited)
            for each in running:
                self._note_if_ended(each)

    def _note_if_ended(self, running):
        try:
            running.check()
        except Failure as failure:
            self.failures.append(f"at the end: {failure}")

    def _measure(self, measure, running):
        rounds, failed = [], set()
        for number in range(1, measure.rounds + 1):
            values = {}
            for each in running:
                if each.name in failed:
                    continue
                start = time.monotonic()
                try:
                    values[each.name] = _sample(measure, each)
                    outcome = _brief(values[each.name])
                except Failure as failure:
                    # The others are still measured, so that one failure does not hide the rest.
                    failed.add(each.name)
                    outcome = f"FAILED: {failure}"
                    self.failures.append(f"{measure.name}, {each.name}: {failure}")
                taken = time.monotonic() - start
                print(f"{measure.name} {number}/{measure.rounds} {each.name}: {outcome} ({taken:.1f} s)",
                      file=self._progress, flush=True)
            rounds.append(values)
        return rounds


def _sample(measure, running):
    running.check()
    if not measure.fresh:
        return measure.sample(running)
    with running.subject.running() as fresh:
        return measure.sample(fresh)


def _brief(values):
    return " ".join(f"{key}={value:.4g}" for key, value in values.items() if value is not None)
