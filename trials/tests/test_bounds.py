"""What the soak says of counts, metrics and logs that are not as they should be."""
import json
import pathlib
import tempfile
import time
import types
import unittest

from trials.common.census import Census, census
from trials.common.metrics import Metrics
from trials.soak import agreement, journal, report
from trials.soak.judge import TCP_MEMORY
from trials.soak.timeline import Timeline

from .test_judge import Quiet, line, record

BEFORE = Census(threads=9, descriptors=40, sockets=20, pipes=4, others=12, resident_bytes=40 << 20, anonymous_bytes=20 << 20,
                cpu_seconds=1.0)


class BoundTests(unittest.TestCase):
    def held(self, **after):
        judge = Quiet(Timeline())
        report._hold(judge, BEFORE, Census(**{**BEFORE.__dict__, **after}))
        return judge.complaints

    def test_as_before_and_a_little_memory_more(self):
        self.assertEqual(self.held(), [])
        self.assertEqual(self.held(anonymous_bytes=27 << 20, pipes=48), [])

    def test_one_more_of_what_must_not_be_more(self):
        for name in "sockets", "others", "threads":
            self.assertIn(name, self.held(**{name: getattr(BEFORE, name) + 1})[0])
        self.assertIn("pipes", self.held(pipes=49)[0])
        self.assertIn("memory", self.held(anonymous_bytes=31 << 20)[0])

    def test_this_process_counted(self):
        with tempfile.TemporaryFile(), open(__file__):
            before = census("self")
            with open(__file__):
                self.assertEqual(census("self").others, before.others + 1)
        self.assertGreater(before.anonymous_bytes, 0)


METRICS = """\
# HELP sluice_tcp_connections_closed_total Ends.
sluice_tcp_connections_closed_total{listener="plain",route_namespace="soak",route="plain",reason="client_closed",side="client"} 1
sluice_config_last_reload_successful 1
"""


class AgreementTests(unittest.TestCase):
    def compared(self, text, **total):
        judge = Quiet(Timeline())
        judge.record(record())
        judge.line(line())
        gateway = types.SimpleNamespace(metrics=lambda: Metrics(text), ask=lambda path: {
            "total": {"accepted": 1, "requestBytes": 10, "responseBytes": 20, **total}})
        agreement.check(gateway, judge)
        return judge.complaints

    def test_they_agree(self):
        self.assertEqual(self.compared(METRICS), [])

    def test_an_end_that_was_counted_twice_or_not_at_all(self):
        self.assertIn("metrics count 2 ends", self.compared(METRICS.replace('"} 1', '"} 2'))[0])
        self.assertIn("metrics count 0 ends", self.compared(METRICS.replace("client_closed", "idle_timeout"))[0])

    def test_totals(self):
        self.assertIn("accepted is 2", self.compared(METRICS, accepted=2)[0])
        self.assertIn("responseBytes is 21", self.compared(METRICS, responseBytes=21)[0])

    def test_what_must_be_nothing_at_the_end(self):
        for name in "sluice_config_sessions_disrupted_total", "sluice_buffered_bytes", "sluice_access_log_dropped_total":
            self.assertIn(name, self.compared(METRICS + f"{name} 1\n")[0])


class JournalTests(unittest.TestCase):
    def said(self, *lines, failures=1):
        timeline, judge = Timeline(), Quiet(Timeline())
        timeline.note("127.0.0.1:7000", "up")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "sluice.log"
            common = {"time": "2030-01-01T00:00:00.000Z", "level": "warning"}
            path.write_text("".join(json.dumps({**common, **each}) + "\n" for each in lines))
            journal.read(path, judge, timeline, types.SimpleNamespace(failures=failures))
        return judge.complaints

    def test_what_nobody_has_caused(self):
        self.assertIn("disk is full", self.said({"message": "disk is full"})[0])
        self.assertIn("unhealthy", self.said({"message": "endpoint is unhealthy", "endpoint": "127.0.0.1:7000"})[0])
        self.assertEqual(self.said({"message": "endpoint is unhealthy", "endpoint": "127.0.0.1:7001"}), [])

    def test_refused_events_only_as_often_as_they_were(self):
        refused = {"message": "events cannot be delivered", "error": "status 503"}
        self.assertEqual(self.said(refused), [])
        self.assertIn("2 times", self.said(refused, refused)[0])

    def test_what_backends_say(self):
        judge, timeline = Quiet(Timeline()), Timeline()
        with tempfile.TemporaryDirectory() as folder:
            said = {"problem": "Mistake: the upload broke off after 1 of 2 bytes: reset", "from": time.time(), "to": time.time() + 1}
            (pathlib.Path(folder) / "backend-a.log").write_text(json.dumps(said) + "\n")
            journal.read_backends(pathlib.Path(folder), judge, timeline)
            self.assertIn("broke off", judge.complaints[0])
            timeline.note(TCP_MEMORY, "short")
            journal.read_backends(pathlib.Path(folder), judge, timeline)
            self.assertEqual(len(judge.complaints), 1)

    def test_information(self):
        self.assertEqual(self.said({"message": "started", "level": "info"}), [])
