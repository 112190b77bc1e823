"""The figures of docs/operations/capacity.md are those that docs/benchmarks.md has for sluice."""
import re
import unittest

from pages import ROOT

ROW = re.compile(r"^\| .+ \| ([\d.,]+) (?:µs|s|ms|KiB|MiB) \| \[(.+)\]\(\.\./benchmarks\.md#[\w-]+\) \|$")


class Figures(unittest.TestCase):
    def test_figures_are_those_of_the_benchmarks(self):
        measured = {}
        for line in (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").split("\n"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            # Label, what is better, then sluice. The newest run with all measures comes first.
            if len(cells) >= 4 and cells[1] in ("lower", "higher"):
                measured.setdefault(cells[0], cells[2].split(" ")[0])
        self.assertGreater(len(measured), 50)
        page = (ROOT / "docs/operations/capacity.md").read_text(encoding="utf-8")
        rows = [match.groups() for match in map(ROW.match, page.split("\n")) if match]
        self.assertGreaterEqual(len(rows), 17)
        self.assertEqual(len(rows), page.count("| ["), "a row of the page was not understood")
        for figure, label in rows:
            with self.subTest(label):
                self.assertEqual(figure, measured.get(label), "write the new figure, and look at the examples below the table")


if __name__ == "__main__":
    unittest.main()
