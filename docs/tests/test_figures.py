"""The figures of docs/operations/capacity.md and of README.md are those of docs/benchmarks.md."""
import re
import unittest

from pages import ROOT

ROW = re.compile(r"^\| .+ \| ([\d.,]+) (?:µs|s|ms|KiB|MiB) \| \[(.+)\]\(\.\./benchmarks\.md#[\w-]+\) \|$")


# Rows of README's second table, and of which row of the benchmarks each has the medians of all four.
COMPARED = {
    "CPU of a new connection, µs": "new connection + 64 B echo: CPU µs",
    "CPU of a round trip, 1,024 connections, µs": "64 B round trip, 1024 connections: CPU µs",
    "CPU of a full TLS handshake (ECDSA), µs": "TLS 1.3 connection, ECDSA P-256, + 64 B echo: CPU µs",
    "CPU of a gigabyte, TLS terminated, s": "bulk TLS to the client, terminated: CPU s/GB",
    "memory of an idle TLS connection, KiB": "idle connection, TLS terminated: KiB",
    "start with 10,000 routes, ms": "10,000 SNI routes: from exec to the first name served, ms",
    "memory with 10,000 routes, MiB": "10,000 SNI routes: memory after the start, MiB",
    "one route changed among 10,000, ms": "one route changed among 10,000: until the first connection to the new backend, ms",
}


def measured():
    """Medians of sluice, haproxy, nginx and envoy by label. The runs with all measures come first."""
    found = {}
    for line in (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        # Label, what is better, then the subjects.
        if len(cells) >= 6 and cells[1] in ("lower", "higher"):
            found.setdefault(cells[0], [cell.split(" ")[0] for cell in cells[2:6]])
    return found


class Figures(unittest.TestCase):
    def test_capacity_has_those_of_the_benchmarks(self):
        figures = measured()
        self.assertGreater(len(figures), 50)
        page = (ROOT / "docs/operations/capacity.md").read_text(encoding="utf-8")
        rows = [match.groups() for match in map(ROW.match, page.split("\n")) if match]
        self.assertGreaterEqual(len(rows), 17)
        self.assertEqual(len(rows), page.count("| ["), "a row of the page was not understood")
        for figure, label in rows:
            with self.subTest(label):
                self.assertEqual(figure, figures.get(label, [""])[0], "a new figure changes the examples, too")

    def test_readme_has_those_of_the_benchmarks(self):
        figures = measured()
        page = (ROOT / "README.md").read_text(encoding="utf-8").split("\n")
        for row, label in COMPARED.items():
            with self.subTest(row):
                line = next((line for line in page if line.startswith(f"| {row} |")), "")
                self.assertEqual([cell.strip() for cell in line.strip("|").split("|")][1:], figures[label])


if __name__ == "__main__":
    unittest.main()
