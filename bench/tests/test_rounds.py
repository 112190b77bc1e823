"""The turns: a failure costs one subject one measure, and nothing else."""
import contextlib
import io
import json
import unittest

from runner import result
from runner.failure import Failure
from runner.measures.measure import Figure, Measure
from runner.rounds import Rounds
from runner.statistics import noise


class Instance:
    def __init__(self, subject):
        self.subject = subject
        self.ended = False

    def check(self):
        if self.ended:
            raise Failure("ended")


class Subject:
    """Stands for a proxy: does as many starts as it is told, then fails to start."""

    def __init__(self, name, starts=100):
        self.name = name
        self.starts = starts
        self.running_now = 0

    @contextlib.contextmanager
    def running(self):
        if not self.starts:
            raise Failure("does not start")
        self.starts -= 1
        self.running_now += 1
        try:
            yield Instance(self)
        finally:
            self.running_now -= 1


class Count(Measure):
    figures = [Figure("count", "counts")]

    def __init__(self, name, does=lambda running: None, **sizes):
        super().__init__(None, **sizes)
        self.name, self._does, self._count = name, does, 0

    def sample(self, running):
        self._does(running)
        self._count += 1
        return {"count": self._count}


def measured(measures, subjects):
    return Rounds(measures, subjects, progress=io.StringIO())


def only(name, action):
    """An action for one subject."""
    return lambda running: action(running) if running.subject.name == name else None


def fail(running):
    raise Failure("no")


class Turns(unittest.TestCase):
    def setUp(self):
        self.subjects = [Subject("a"), Subject("b")]

    def test_rounds_are_interleaved_and_begin_with_another_subject_each(self):
        rounds = measured([Count("m", rounds=2)], self.subjects)
        self.assertEqual(rounds.values, {"m": [{"a": {"count": 1}, "b": {"count": 2}}, {"b": {"count": 3}, "a": {"count": 4}}]})
        self.assertEqual(rounds.failures, [])
        self.assertEqual([subject.running_now for subject in self.subjects], [0, 0])

    def test_a_failure_costs_one_cell(self):
        rounds = measured([Count("m", only("a", fail), rounds=2), Count("n", rounds=1)], self.subjects)
        self.assertEqual([sorted(each) for each in rounds.values["m"]], [["b"], ["b"]])
        self.assertEqual(sorted(rounds.values["n"][0]), ["a", "b"])
        self.assertEqual(rounds.failures, ["m, a: no"])

    def test_a_mistake_in_a_measure_is_a_failure(self):
        rounds = measured([Count("m", only("b", lambda running: 1 / 0), rounds=1)], self.subjects)
        self.assertEqual(sorted(rounds.values["m"][0]), ["a"])
        self.assertIn("ZeroDivisionError", rounds.failures[0])

    def test_who_does_not_start_is_left_out(self):
        rounds = measured([Count("m", rounds=1)], [Subject("a", starts=0), self.subjects[1]])
        self.assertEqual(rounds.values["m"], [{"b": {"count": 1}}])
        self.assertEqual(rounds.failures, ["m, a: does not start"])

    def test_who_ends_has_failed_and_is_started_again(self):
        def end(running):
            running.ended = True
        rounds = measured([Count("m", only("a", end), rounds=1), Count("n", rounds=1)], self.subjects)
        self.assertEqual(rounds.failures, ["m, a: ended"])
        self.assertEqual(sorted(rounds.values["n"][0]), ["a", "b"])
        self.assertEqual((self.subjects[0].starts, self.subjects[0].running_now), (98, 0))

    def test_a_measure_that_does_not_suit(self):
        measure = Count("m", rounds=1)
        measure.suits = lambda running: running.subject.name == "b"
        rounds = measured([measure], self.subjects)
        self.assertEqual((list(rounds.values["m"][0]), rounds.failures), (["b"], []))

    def test_who_interrupts_keeps_what_is_whole(self):
        def interrupt(running):
            raise KeyboardInterrupt
        measures = [Count("m", rounds=1), Count("n", only("b", interrupt), rounds=1), Count("o", rounds=1)]
        rounds = measured(measures, self.subjects)
        self.assertEqual((list(rounds.values), rounds.failures), (["m"], ["interrupted in n"]))
        self.assertEqual([subject.running_now for subject in self.subjects], [0, 0])

    def test_an_unknown_size_is_refused(self):
        with self.assertRaises(AttributeError):
            Count("m", secnods=1)


class Results(unittest.TestCase):
    def test_noise(self):
        rounds = [{"a": {"k": value}, "b": {"k": 1}} for value in (9, 10, 12)] + [{"a": {"k": 10}}]
        self.assertAlmostEqual(noise(rounds, "a", "k"), 0.3)
        self.assertIsNone(noise(rounds[:1], "a", "k"))
        self.assertIsNone(noise(rounds, "nobody", "k"))

    def test_lines_are_json(self):
        value = {"a": [], "b": {"c": [{"d": {"e": [1, 2.5, None, "ä"]}}, {}]}, "f": True}
        text = result.lines(value)
        self.assertEqual(json.loads(text), value)
        self.assertIn('\n    "d": {"e": [1, 2.5, null, "ä"]}\n', text)


if __name__ == "__main__":
    unittest.main()
