"""Measures the subjects in turn, round by round, so that a change in the machine's mood meets all of them."""
import contextlib
import sys
import time
import traceback

from .failure import Failure


class Rounds:
    """What was measured: by measure a list of rounds, each {subject: {figure: value}}; and what failed.

    A failure costs the subject its place in that measure, nothing else. Who interrupts a run keeps the measures that are whole.
    """

    def __init__(self, measures, subjects, progress=sys.stderr):
        self.values = {}
        self.failures = []
        self._progress = progress
        with contextlib.ExitStack() as stack:
            seats = [_Seat(subject, stack) for subject in subjects]
            try:
                for measure in measures:
                    self.values[measure.name] = self._measure(measure, seats)
            except (KeyboardInterrupt, SystemExit):
                self.failures.append(f"interrupted in {measure.name}")
                return
            for seat in seats:
                self._attempt(f"at the end, {seat.name}", seat.check)

    def _attempt(self, what, action):
        """Runs an action; returns its result and what failed."""
        try:
            return action(), None
        except Failure as failure:
            said = str(failure)
        except Exception:  # a mistake in one measure must not cost the others their results
            said = traceback.format_exc()
        self.failures.append(f"{what}: {said}")
        return None, said

    def _measure(self, measure, seats):
        rounds, failed = [], set()
        for number in range(1, measure.rounds + 1):
            values = {}
            # Who begins changes from round to round: the first after a pause pays for caches that went cold.
            turn = (number - 1) % max(1, len(seats))
            for seat in [*seats[turn:], *seats[:turn]]:
                if seat.name in failed:
                    continue
                start = time.monotonic()
                value, problem = self._attempt(f"{measure.name}, {seat.name}", lambda: seat.sample(measure))
                if problem:
                    failed.add(seat.name)
                elif value is None:
                    continue
                else:
                    values[seat.name] = value
                print(f"{measure.name} {number}/{measure.rounds} {seat.name}: "
                      f"{f'FAILED: {problem}' if problem else _brief(value)} ({time.monotonic() - start:.1f} s)",
                      file=self._progress, flush=True)
            rounds.append(values)
        return rounds


class _Seat:
    """A subject's place in the run: its instance, started when it is first needed, and again after it has ended."""

    def __init__(self, subject, stack):
        self.name = subject.name
        self._subject = subject
        self._run = stack.enter_context(contextlib.ExitStack())
        self._running = None

    def check(self):
        if self._running:
            self._running.check()

    def sample(self, measure):
        """What was measured, or None where the measure does not suit the subject."""
        running = self._instance()
        if not measure.suits(running):
            return None
        if not measure.fresh:
            value = measure.sample(running)
        else:
            with running.subject.running() as fresh:
                value = measure.sample(fresh)
        # Whoever ends after the last answer has failed, too.
        running.check()
        return value

    def _instance(self):
        if self._running:
            try:
                self._running.check()
            except Failure:
                self._running = None
                self._run.close()
        if not self._running:
            self._running = self._run.enter_context(self._subject.running())
        return self._running


def _brief(values):
    return " ".join(f"{key}={value:.4g}" for key, value in values.items() if value is not None)
