"""The comparison: what it flags, what it takes for noise, and what it can't tell."""
import contextlib
import io
import itertools
import json
import pathlib
import tempfile
import unittest

from runner.analysis import chance, comparison, reading
from runner.analysis.compare_command import main
from runner.analysis.comparison import Change

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
BEFORE, AFTER, BUILDS = (FIXTURES / f"{name}.json" for name in ("before", "after", "builds"))
TIE = 0.03


def run_main(*arguments):
    """Returns the exit code and what was said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as error:
            code = error.code
    return code, said.getvalue()


def by_key(rows):
    return {row.figure.key: row for row in rows}


class TwoResults(unittest.TestCase):
    def setUp(self):
        self.rows = by_key(comparison.between(reading.read(BEFORE), reading.read(AFTER), TIE))

    def assert_change(self, key, change, why=""):
        self.assertEqual((self.rows[key].change, self.rows[key].why), (change, why), key)

    def test_what_is_flagged(self):
        self.assert_change("slower", Change.REGRESSION)
        self.assert_change("throughput", Change.REGRESSION)
        self.assert_change("faster", Change.GAIN)
        # Ours stayed while all peers gained: that is a loss beside them.
        self.assert_change("level", Change.REGRESSION)
        self.assert_change("lost", Change.REGRESSION)

    def test_what_is_noise(self):
        self.assert_change("mood", Change.NOISE)
        self.assert_change("tied", Change.NOISE)
        self.assert_change("noisy", Change.NOISE)
        self.assert_change("peer_moved", Change.NOISE, "a peer moved as far")

    def test_what_cannot_be_told(self):
        self.assert_change("few", Change.UNCLEAR, "fewer than 3 rounds")
        self.assert_change("ours_only", Change.UNCLEAR, "no peer to tell the machine's mood by")
        self.assertNotIn("gone", self.rows)

    def test_figures(self):
        row = self.rows["mood"]
        self.assertAlmostEqual(row.own, 1.2)
        self.assertAlmostEqual(row.peers, 1.2)
        self.assertAlmostEqual(row.beside, 1, places=3)
        self.assertAlmostEqual(self.rows["slower"].beside, 1.2, places=2)
        self.assertAlmostEqual(self.rows["slower"].chance, 2 / 252)

    def test_a_smaller_tie_shows_more(self):
        rows = by_key(comparison.between(reading.read(BEFORE), reading.read(AFTER), 0.01))
        self.assertIs(rows["tied"].change, Change.REGRESSION)

    def test_backwards(self):
        rows = by_key(comparison.between(reading.read(AFTER), reading.read(BEFORE), TIE))
        found = {key: rows[key].change for key in ("slower", "throughput", "faster", "level", "lost", "mood")}
        self.assertEqual(found, {"slower": Change.GAIN, "throughput": Change.GAIN, "faster": Change.REGRESSION,
                                 "level": Change.GAIN, "lost": Change.GAIN, "mood": Change.NOISE})

    def test_itself(self):
        for row in comparison.between(reading.read(BEFORE), reading.read(BEFORE), TIE):
            self.assertIn(row.change, (Change.NOISE, Change.UNCLEAR), row)


class OneOfThemChanged(unittest.TestCase):
    """The fixtures with something else in the second result."""

    def rows(self, change):
        content = json.loads(AFTER.read_text())
        change(content)
        self.after = reading.Result("changed.json", content)
        return by_key(comparison.between(reading.read(BEFORE), self.after, TIE))

    def test_one_peer_and_our_own_value(self):
        def alone(content):
            content["subjects"] = {name: content["subjects"][name] for name in ("sluice", "haproxy")}
        rows = self.rows(alone)
        self.assertIs(rows["slower"].change, Change.REGRESSION)
        # Only the peer moved: was it the peer, or the machine?
        self.assertEqual((rows["level"].change, rows["level"].why), (Change.UNCLEAR, "our own value does not show it"))

    def test_one_peer_and_our_own_value_moved_less(self):
        def alone(factor):
            def change(content):
                content["subjects"] = {name: content["subjects"][name] for name in ("sluice", "haproxy")}
                for each in content["measures"][2]["rounds"]:
                    each["sluice"]["level"] *= factor
            return change
        for factor in 1.01, 0.95:
            with self.subTest(factor):
                row = self.rows(alone(factor))["level"]
                self.assertEqual((row.change, row.why), (Change.UNCLEAR, "our own value does not show it"))
        self.assertIs(self.rows(alone(1.1))["level"].change, Change.REGRESSION)

    def test_a_round_without_a_peer_does_not_count(self):
        def fail_from_the_third(content):
            for each in content["measures"][0]["rounds"][2:]:
                del each["nginx"]
        row = self.rows(fail_from_the_third)["slower"]
        self.assertEqual((row.change, row.why), (Change.UNCLEAR, "fewer than 3 rounds"))

    def test_another_version_of_a_peer_is_left_out(self):
        def newer(content):
            content["subjects"]["nginx"]["version"] = "nginx 2"
        rows = self.rows(newer)
        # The peer that had moved as far.
        self.assertIs(rows["peer_moved"].change, Change.REGRESSION)
        self.assertTrue(any("nginx is not the same" in each for each in comparison.unlike(reading.read(BEFORE), self.after)))

    def test_other_sizes(self):
        def more(content):
            content["measures"][0]["sizes"]["count"] = 200
        rows = self.rows(more)
        self.assertEqual((rows["slower"].change, rows["slower"].why), (Change.UNCLEAR, "other sizes"))

    def test_three_rounds(self):
        def three(content):
            for measure in content["measures"]:
                measure["rounds"] = measure["rounds"][:3]
        content = json.loads(BEFORE.read_text())
        three(content)
        before = reading.Result("three.json", content)
        self.rows(three)
        rows = by_key(comparison.between(before, self.after, TIE))
        # Apart by more than the rounds are among themselves.
        self.assertEqual((rows["slower"].change, rows["slower"].chance), (Change.REGRESSION, 0.1))
        self.assertIs(rows["noisy"].change, Change.NOISE)


class TwoBuilds(unittest.TestCase):
    def test_builds(self):
        rows = by_key(comparison.builds(reading.read(BUILDS), TIE))
        found = {key: row.change for key, row in rows.items()}
        self.assertEqual(found, {"slower": Change.REGRESSION, "drift": Change.GAIN, "same": Change.NOISE,
                                 "throughput": Change.GAIN})
        self.assertAlmostEqual(rows["drift"].chance, 2 / 128)
        self.assertAlmostEqual(rows["drift"].beside, 0.9, places=1)


class Chances(unittest.TestCase):
    def test_apart_is_exact(self):
        """Of all orders of 4 and 5 rounds, as many are as clearly apart as the chance says."""
        chances = []
        for ours in itertools.combinations(range(1, 10), 4):
            chances.append(chance.apart(list(ours), [each for each in range(1, 10) if each not in ours])[1])
        self.assertEqual(len(chances), 126)
        for level in set(chances):
            self.assertAlmostEqual(level, min(1, sum(each <= level for each in chances) / 126), places=2)

    def test_from_one_is_exact(self):
        chances = []
        for signs in itertools.product((-1, 1), repeat=6):
            chances.append(chance.from_one([2.0 ** (sign * rank) for sign, rank in zip(signs, range(1, 7))])[1])
        for level in set(chances):
            self.assertAlmostEqual(level, min(1, sum(each <= level for each in chances) / 64))

    def test_few_rounds_need_a_gap(self):
        self.assertEqual(chance.apart([1.0, 1.1, 1.2], [1.25, 1.3, 1.4])[0], False)
        self.assertEqual(chance.apart([1.0, 1.1, 1.2], [1.5, 1.6, 1.7])[0], True)
        self.assertEqual(chance.apart([1.5, 1.6, 1.7], [1.0, 1.1, 1.2])[0], True)
        self.assertEqual(chance.from_one([1.05, 1.1, 1.2])[0], False)
        self.assertEqual(chance.from_one([1.2, 1.25, 1.3])[0], True)

    def test_equal_rounds_are_not_apart(self):
        self.assertEqual(chance.apart([1.0] * 5, [1.0] * 5), (False, 1))
        self.assertEqual(chance.from_one([1.0] * 7), (False, 1))


class Command(unittest.TestCase):
    def test_prints_and_passes(self):
        code, said = run_main(BEFORE, AFTER)
        self.assertEqual(code, 0, said)
        self.assertIn("| slower: µs | lower | 10.0 | 12.0 | +20.0 % | +0.0 % | +", said)
        self.assertIn("**regression** |\n", said)
        self.assertIn("4 regression, 1 gain, 4 noise, 2 unclear of 11 figures", said)

    def test_fails_only_if_asked_to(self):
        self.assertEqual(run_main("--fail-on-regression", BEFORE, AFTER)[0], 1)
        self.assertEqual(run_main("--fail-on-regression", BEFORE, BEFORE)[0], 0)

    def test_builds(self):
        code, said = run_main(BUILDS)
        self.assertEqual(code, 0, said)
        self.assertIn("| figure | better | against | sluice | own change | in the same round | chance |", said)
        self.assertIn("from against: sluice 1", said)
        self.assertEqual(run_main("--fail-on-regression", BUILDS)[0], 1)

    def test_bad_input(self):
        cases = {
            "not of a run with --against": [BEFORE],
            "No such file or directory": [BEFORE, FIXTURES / "absent.json"],
            "'x'; allowed: 0 to 100": ["--tie", "x", BEFORE, AFTER],
            "'nan'; allowed: 0 to 100": ["--tie", "nan", BEFORE, AFTER],
            "the following arguments are required: A": [],
            "no figure of sluice is in both": [BEFORE, FIXTURES / "first.json"],
        }
        for expected, arguments in cases.items():
            with self.subTest(expected):
                code, said = run_main(*arguments)
                self.assertEqual((code, expected in said), (2, True), said)

    def test_notes_what_differs(self):
        with tempfile.TemporaryDirectory() as folder:
            content = json.loads(AFTER.read_text())
            content["machine"]["kernel"] = "7.0"
            content["programs"] = "Testian 13"
            path = pathlib.Path(folder) / "other.json"
            path.write_text(json.dumps(content))
            said = run_main(BEFORE, path)[1]
            self.assertIn("note: the machines differ in kernel: 6.1.0 and 7.0\n", said)
            self.assertIn("note: the programs are the machine's and Testian 13\n", said)


if __name__ == "__main__":
    unittest.main()
