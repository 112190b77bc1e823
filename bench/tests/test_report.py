"""The report: aims judged, tables, plots, and what it says to bad input."""
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from runner.analysis import document, panel, reading, tables
from runner.analysis.aims import AIMS, Beside, Limit, Within
from runner.analysis.groups import GROUPS
from runner.analysis.report_command import main
from runner.analysis.series import Series, estimate
from runner.analysis.verdicts import Verdict, judge, verdict
from runner.registry import REGISTRY

BENCH = pathlib.Path(__file__).resolve().parent.parent
FIRST = BENCH / "tests/fixtures/first.json"
PAGE = f"# Before\n\n{document.BEGIN}\nold\n{document.END}\n\nafter\n"


def changed(change):
    """The fixture with a change applied to its content, read."""
    content = json.loads(FIRST.read_text())
    change(content)
    return reading.Result("changed.json", content)


class Aims(unittest.TestCase):
    def setUp(self):
        self.series = Series([reading.read(FIRST)])

    def judged(self, aim):
        return judge(aim, self.series)

    def test_met_by_the_median(self):
        found = self.judged(Beside("", "cpu_s_per_gb_1", 0.85))
        self.assertEqual((found.verdict, found.references), (Verdict.MET, ("haproxy",)))
        self.assertAlmostEqual(found.estimate.median, 0.84)
        self.assertAlmostEqual(found.estimate.low, 0.8)
        self.assertAlmostEqual(found.estimate.high, 0.9)

    def test_met_by_the_interval(self):
        # Ratios to haproxy, whose median is best, though envoy had one better round: 1.05, 0.8, 1.2.
        found = self.judged(Beside("", "cpu_s_per_gb_16", 1.0))
        self.assertEqual((found.verdict, found.references), (Verdict.WITHIN, ("haproxy",)))
        self.assertAlmostEqual(found.estimate.median, 1.05)

    def test_missed(self):
        found = self.judged(Beside("", "round_trip_cpu_us", 1.0))
        self.assertEqual(found.verdict, Verdict.MISSED)
        self.assertAlmostEqual(found.estimate.median, 1.2)
        self.assertIs(self.judged(Beside("", "cpu_s_per_gb_16", 0.79)).verdict, Verdict.MISSED)

    def test_another_tls_library_does_not_compete(self):
        found = self.judged(Beside("", "handshake_cpu_us", 1.0, same_tls=True))
        self.assertEqual((found.verdict, found.references, found.beside.references), (Verdict.MET, ("haproxy",), ["envoy"]))
        self.assertAlmostEqual(found.beside.estimate.median, 4 / 3)
        self.assertIs(self.judged(Beside("", "handshake_cpu_us", 1.0)).verdict, Verdict.MISSED)

    def test_another_release_of_the_library_does_not_compete(self):
        def newer(content):
            content["subjects"]["haproxy"]["tls"] = "OpenSSL 3.5.0"
        found = judge(Beside("", "handshake_cpu_us", 1.0, same_tls=True), Series([changed(newer)]))
        self.assertEqual((found.verdict, found.references), (Verdict.UNKNOWN, ()))

    def test_without_a_proxy_is_nobodys_rival(self):
        self.assertEqual(self.series.to_best_peer("gb_per_s_1").references, ["haproxy"])

    def test_a_peers_best_form_counts(self):
        def two_forms(content):
            figures = [{"key": key, "title": key, "digits": 0, "better": "lower"}
                       for key in ("names_start_ms", "names_start_addresses_ms")]
            rounds = [{"sluice": {"names_start_ms": 10 * drift}, "haproxy": {"names_start_ms": 40 * drift},
                       "envoy": {"names_start_ms": 80 * drift, "names_start_addresses_ms": 20 * drift}} for drift in (1, 2, 3)]
            content["measures"].append({"name": "names", "sizes": {}, "figures": figures, "rounds": rounds})
        series = Series([changed(two_forms)])
        found = judge(Beside("", "names_start_ms", 0.3), series)
        self.assertEqual((found.verdict, found.references), (Verdict.MISSED, ("envoy (addresses)",)))
        self.assertEqual((found.estimate.low, found.estimate.high), (0.5, 0.5))
        labels = [bar.label for bar in panel.bars(series, series.figures["names_start_ms"])]
        self.assertEqual(labels, ["sluice", "haproxy", "envoy", "envoy, addresses"])
        self.assertEqual([key for key in series.figures if series.is_form(key)], ["names_start_addresses_ms"])

    def test_not_measured(self):
        for aim in Beside("", "absent", 1), Within("", "absent", "cpu_s_per_gb_1", 1), Limit("", "absent", 1, "ms"), \
                Within("", "cpu_s_per_gb_1", "absent", 1), Beside("", "change_ms", 1):
            self.assertIs(self.judged(aim).verdict, Verdict.UNKNOWN, aim)

    def test_within_ourselves(self):
        found = self.judged(Within("", "cpu_s_per_gb_16", "cpu_s_per_gb_1", 1.3))
        self.assertIs(found.verdict, Verdict.WITHIN)
        self.assertAlmostEqual(found.estimate.median, 0.21 / 0.16)

    def test_limits(self):
        self.assertIs(self.judged(Limit("", "change_ms", 50, "ms")).verdict, Verdict.MET)
        self.assertIs(self.judged(Limit("", "change_ms", 12, "ms")).verdict, Verdict.MISSED)
        # The median and the lowest keep it, the highest does not.
        self.assertIs(self.judged(Limit("", "round_trip_p99_us", 400, "µs")).verdict, Verdict.MET)
        self.assertIs(self.judged(Limit("", "round_trip_p99_us", 400, "µs", exact=True)).verdict, Verdict.MISSED)


class Registered(unittest.TestCase):
    """Aims and groups name what is measured; a key that was renamed in a measure would read "not measured" for ever."""

    def setUp(self):
        self.measures = {entry.measure.name: entry.measure for entry in REGISTRY}

    def test_aims(self):
        keys = {figure.key for measure in self.measures.values() for figure in measure.figures}
        for aim in AIMS:
            for key in filter(None, (aim.key, getattr(aim, "base", None))):
                self.assertIn(key, keys, aim)

    def test_groups(self):
        grouped = [name for group in GROUPS for name in group.measures]
        self.assertEqual(len(grouped), len(set(grouped)))
        self.assertEqual(set(self.measures) - set(grouped), set(), "to be put into a group of runner/analysis/groups.py")


class SeveralRuns(unittest.TestCase):
    def setUp(self):
        def factor(by, date):
            def change(content):
                content["date"] = date
                for each in content["measures"][0]["rounds"]:
                    each["sluice"]["cpu_s_per_gb_1"] *= by
            return changed(change)
        self.series = Series([factor(2, "2026-11-03"), factor(1, "2026-11-01"), factor(1.5, "2026-11-02")])

    def test_medians_of_the_runs(self):
        found = self.series.value("cpu_s_per_gb_1", "sluice")
        shown = tables.spread(found, 3)
        self.assertEqual(shown, "0.252 (0.168–0.336)")
        self.assertEqual((found.runs, found.rounds), (3, 9))

    def test_the_interval_does_not_widen_with_runs(self):
        found = judge(Beside("", "cpu_s_per_gb_1", 1.0), self.series)
        self.assertIs(found.verdict, Verdict.MISSED)
        self.assertAlmostEqual(found.estimate.low, 1.2)
        self.assertAlmostEqual(found.estimate.high, 1.35)

    def test_nor_with_rounds(self):
        expected = {1: 0, 2: 0, 3: 0, 5: 0, 8: 0, 9: 1, 10: 1, 11: 2, 20: 5}
        for count, outside in expected.items():
            found = estimate([[float(each) for each in range(count)]])
            self.assertEqual((found.lower, found.upper), (outside, count - 1 - outside), count)
            self.assertEqual((found.low, found.high), (0, count - 1))
        # One lucky round of nine does not make an aim met.
        found = estimate([[0.9] + [1.2] * 8])
        self.assertEqual((verdict(found, 1.0), tables.interval(found, 1)), (Verdict.MISSED, "1.2"))

    def test_oldest_first(self):
        self.assertEqual([result.date for result in self.series.results], ["2026-11-01", "2026-11-02", "2026-11-03"])


def run_main(page, *arguments):
    """Returns the exit code and what was said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(["--document", str(page), *map(str, arguments)])
    return code, said.getvalue()


def plots_of(page):
    return {path.name: path.read_text() for path in page.with_suffix("").glob("*.svg")}


def texts_of(plot):
    return [element.text for element in xml.etree.ElementTree.fromstring(plot).iter("{http://www.w3.org/2000/svg}text")]


def newer_programs():
    """The fixture as if measured with the programs of another release."""
    content = json.loads(FIRST.read_text())
    content |= {"programs": "Testian 13", "date": "2026-11-05T10-00-00Z"}
    for name in "sluice", "haproxy":
        content["subjects"][name]["tls"] = "OpenSSL 3.5.0"
    for each in content["measures"][2]["rounds"]:
        each["sluice"]["handshake_cpu_us"] = 350
    return content


class Written(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.page = pathlib.Path(folder.name) / "page.md"
        cls.page.write_text(PAGE)
        cls.page.with_suffix("").mkdir()
        (cls.page.with_suffix("") / "stale.svg").write_text("")
        cls.results = [FIRST, cls.page.with_name("newer.json")]
        cls.results[1].write_text(json.dumps(newer_programs()))
        cls.code, cls.said = run_main(cls.page, *cls.results)
        cls.text, cls.plots = cls.page.read_text(), plots_of(cls.page)

    def test_writes_between_the_markers(self):
        self.assertEqual(self.code, 0, self.said)
        self.assertTrue(self.text.startswith(f"# Before\n\n{document.BEGIN}\n"))
        self.assertTrue(self.text.endswith(f"{document.END}\n\nafter\n"))
        self.assertNotIn("\nold\n", self.text)
        for line in (
                "| bulk TCP, 1 stream: CPU s/GB | lower "
                "| 0.168 (0.160–0.180) | 0.200 | 0.310 (0.300–0.320) | – | 0.84 (0.80–0.90) haproxy |",
                "| bulk TCP, 1 stream: GB/s | higher "
                "| 2.10 (2.00–2.20) | 2.00 | 1.50 | 8.50 (8.00–9.00) | 1.05 (1.00–1.10) haproxy |",
                "| bulk TCP, 1 stream: CPU per GB | 0.85 | 0.840 (0.800–0.900) | haproxy | **met** |",
                "| bulk TCP, 16 streams: CPU per GB | 1.00 | 1.050 (0.800–1.200) | haproxy | met (the interval contains it) |",
                "| full TLS handshake, ECDSA: CPU | 1.00 | 0.800 | haproxy; on another TLS library, envoy: 1.333 | **met** |",
                "| idle connection, plain: memory | 0.15 | – | – | not measured |",
                "| changed manifest to traffic: ms (median of 50) | lower | 12.5 |",
                "Sizes: `bulk`: rounds 3, seconds 1.5",
                "haproxy -db -f haproxy.cfg"):
            self.assertIn(f"\n{line}\n", self.text)
        self.assertIn("[haproxy.cfg](../bench/configs/haproxy.cfg) (changed since; was SHA-256 000000000000)", self.text)
        for name in self.plots:
            self.assertIn(f"(page/{name})", self.text)

    def test_plots_name_everyone_as_text(self):
        names = "aims", "aims-1", "bulk", "roundtrips", "handshakes", "change", "unheard-of"
        self.assertEqual(set(self.plots), {f"{name}.svg" for name in names})
        texts = {name: texts_of(plot) for name, plot in self.plots.items()}
        for expected in "sluice", "haproxy", "envoy", "direct", "0.168", "GB/s, higher is better", "CPU s/GB, lower is better":
            self.assertIn(expected, texts["bulk.svg"])
        for expected in "bulk TCP, 1 stream: CPU per GB", "0.840", "≤ 0.85 met", "≤ 1.00 missed":
            self.assertIn(expected, texts["aims.svg"])

    def test_another_releases_programs_are_told_apart(self):
        own, _, other = self.text.partition("### With the programs of Testian 13\n")
        line = "| full TLS handshake, ECDSA: CPU | 1.00 | {} | haproxy; on another TLS library, envoy: {} | **met** |\n"
        self.assertIn(line.format("0.800", "1.333"), own)
        self.assertIn(line.format("0.700", "1.167"), other)
        self.assertIn("| haproxy | HAProxy 2.6.12 | OpenSSL 3.5.0 |", other)

    def test_a_stall_does_not_hide_the_rest(self):
        self.assertFalse([text for text in texts_of(self.plots["roundtrips.svg"]) if text.endswith("k")])
        self.assertIn("300–52,000", self.text)

    def test_same_figures_same_files(self):
        again = subprocess.run(
            [sys.executable, BENCH / "report", "--document", self.page, *self.results], capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": "7"})
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual((self.page.read_text(), plots_of(self.page)), (self.text, self.plots))


class Refused(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.page = pathlib.Path(folder.name) / "page.md"
        self.page.write_text(PAGE)

    def test_bad_input(self):
        def write(name, change):
            path = self.page.with_name(name)
            content = json.loads(FIRST.read_text())
            change(content)
            path.write_text(json.dumps(content))
            return path
        self.page.with_name("text.json").write_text("{")
        first_round = lambda content: content["measures"][0]["rounds"][0]  # noqa: E731
        cases = {
            "No such file or directory": [self.page.with_name("absent.json")],
            "not JSON": [self.page.with_name("text.json")],
            "no schema is named": [write("none.json", lambda content: content.pop("schema"))],
            "schema 2": [write("two.json", lambda content: content.update(schema=2))],
            "the field 'subjects' is missing": [write("field.json", lambda content: content.pop("subjects"))],
            "not a number": [write("number.json", lambda content: first_round(content)["sluice"].update(cpu_s_per_gb_1="1"))],
            "sluice was not measured": [write("peers.json", lambda content: content["subjects"].pop("sluice"))],
            "the same run is named twice": [FIRST, FIRST],
            "different machines (kernel: 7, 6.1.0)":
                [FIRST, write("kernel.json", lambda content: content["machine"].update(kernel="7"))],
        }
        for expected, results in cases.items():
            with self.subTest(expected):
                code, said = run_main(self.page, *results)
                self.assertEqual((code, expected in said), (2, True), said)
        self.assertEqual((self.page.read_text(), plots_of(self.page)), (PAGE, {}))

    def test_a_page_without_markers_is_left_alone(self):
        for text in "no markers\n", PAGE + PAGE, f"{document.END}\n{document.BEGIN}\n":
            self.page.write_text(text)
            code, said = run_main(self.page, FIRST)
            self.assertEqual((code, self.page.read_text()), (2, text), said)
            self.assertIn("marker" if text.startswith("<") else "exactly once", said)


if __name__ == "__main__":
    unittest.main()
