"""The command line of bench/run and bench/smoke: what it refuses, and when a run is whole."""
import contextlib
import io
import sys
import unittest

from runner.options import FULL, SMOKE, parse

# Any program passes for sluice here.
PROGRAM = ["--sluice", sys.executable]


def refused(*arguments):
    """What is said to arguments that are a mistake; None where they pass."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            parse(FULL, arguments)
        except SystemExit as error:
            return said.getvalue() if error.code == 2 else f"exit code {error.code}"
    return None


class Options(unittest.TestCase):
    def test_mistakes(self):
        cases = {
            "--rounds: '0'; allowed: a whole number from 1 on": [*PROGRAM, "--rounds", "0"],
            "--rounds: 'x'; allowed": [*PROGRAM, "--rounds", "x"],
            "--transfer-mib: '-1'; allowed": [*PROGRAM, "--transfer-mib=-1"],
            "--only: no measure is named": [*PROGRAM, "--only", ""],
            "--only: 'nonsense'; allowed: idle,": [*PROGRAM, "--only", "bulk,nonsense"],
            "--peer: 'nonsense'; allowed: haproxy,": [*PROGRAM, "--peer", "nonsense"],
            "nothing to measure": ["--no-sluice", "--peer", ""],
            "--sluice: /absent is not a program": ["--sluice", "/absent"],
            "--sluice: / is not a program": ["--sluice", "/"],
            f"--against: {__file__} is not a program": [*PROGRAM, "--against", __file__],
        }
        for expected, arguments in cases.items():
            with self.subTest(expected):
                self.assertIn(expected, refused(*arguments) or "it passed")

    def test_what_passes(self):
        self.assertIsNone(refused(*PROGRAM))
        self.assertIsNone(refused("--no-sluice", "--sluice", "/absent"))
        self.assertIsNone(refused("--no-sluice", "--against", sys.executable, "--peer", ""))

    def test_names_are_taken_once(self):
        self.assertEqual(parse(SMOKE, [*PROGRAM, "--peer", "nginx,haproxy,nginx,"]).peer, ["nginx", "haproxy"])

    def test_whole(self):
        self.assertTrue(parse(FULL, PROGRAM).whole)
        self.assertTrue(parse(FULL, [*PROGRAM, "--debian", "/"]).whole)
        for cut in ["--rounds", "1"], ["--only", "bulk"], ["--peer", "nginx"], ["--against", sys.executable]:
            self.assertFalse(parse(FULL, [*PROGRAM, *cut]).whole, cut)


if __name__ == "__main__":
    unittest.main()
