"""What the soak's judge complains about."""
import json
import time
import unittest

from trials.soak.expectations import PRE_ROUTE_S
from trials.soak.judge import OLD_CERTIFICATE_S, TCP_MEMORY, Judge
from trials.soak.timeline import Timeline

KEY = "127.16.0.1:40000"


def record(scenario="chat-plain", outcome="served", **more):
    now = time.time()
    return {"scenario": scenario, "outcome": outcome, "key": KEY, "from": now - 1, "to": now, "up": 10, "down": 20,
            "raw_up": 100, "raw_down": 200, **more}


def line(reason="client_closed", **more):
    return json.dumps({"event": "close", "listener": "plain", "route": "soak/plain", "connection_id": "1f", "duration_ms": 1000.0,
                       "downstream_remote_address": KEY, "bytes_received": 10, "bytes_sent": 20, "close_reason": reason,
                       "close_side": "client", "upstream_host": "127.0.0.1:7000", **more})


class Quiet(Judge):
    """One that keeps its complaints to itself."""

    def complain(self, what):
        self.complained += 1
        self.complaints.append(what)


class JudgeTests(unittest.TestCase):
    def setUp(self):
        self.timeline = Timeline()
        self.judge = Quiet(self.timeline)

    def complaints(self, *pairs, events=("1f",)):
        for one, text in pairs:
            if one:
                self.judge.record(one)
            if text:
                self.judge.line(text)
        for event in events:
            self.judge.event(event)
        self.judge.close()
        return self.judge.complaints

    def assert_one(self, complaints, words):
        self.assertEqual(len(complaints), 1, complaints)
        self.assertIn(words, complaints[0])

    def test_a_visit_that_was_served_has_its_line(self):
        self.assertEqual(self.complaints((record(), line())), [])
        self.assertEqual(self.judge.matched, 1)

    def test_the_line_may_come_first_and_the_address_again(self):
        pairs = [(None, line()), (record(), None), (record(), None), (None, line(connection_id="20"))]
        self.assertEqual(self.complaints(*pairs, events=["1f", "20"]), [])

    def test_a_cut_session(self):
        cut = ("reset", "internal_error"), ("ended", "route_deleted"), ("hung", "idle_timeout"), ("wrong", "client_closed")
        for outcome, reason in cut:
            self.setUp()
            self.assert_one(self.complaints((record(outcome=outcome), line(reason))), "unexplained")

    def test_a_client_that_was_served_and_a_gateway_that_says_otherwise(self):
        self.assert_one(self.complaints((record(), line("backend_reset"))), "unexplained")

    def test_a_visit_without_a_line(self):
        self.assert_one(self.complaints((record(), None), events=[]), "unexplained")

    def test_a_line_without_a_visit(self):
        self.assert_one(self.complaints((None, line())), "a line without a client")

    def test_bytes_that_were_not_counted(self):
        self.assert_one(self.complaints((record(), line(bytes_sent=19))), "counted (10, 19)")

    def test_bytes_of_what_is_passed_through_are_those_of_the_socket(self):
        passed = line(listener="passthrough", bytes_received=100, bytes_sent=200)
        self.assertEqual(self.complaints((record("chat-passthrough"), passed)), [])
        self.setUp()
        self.assert_one(self.complaints((record("chat-passthrough"), line(listener="passthrough"))), "counted (10, 20)")

    def test_an_event_that_is_missing_or_has_no_line(self):
        self.assert_one(self.complaints((record(), line()), events=[]), "no event")
        self.setUp()
        self.assert_one(self.complaints((record(), line()), events=["1f", "77"]), "77")

    def test_a_certificate_that_is_neither_the_new_one_nor_the_one_before(self):
        shown = record(certificate="terminate", fingerprint="old", **{"from": time.time() + OLD_CERTIFICATE_S + 1})
        shown["to"] = shown["from"] + 1
        for name in "older", "old", "new":
            self.timeline.note("certificate-terminate", name)
        self.assert_one(self.complaints((shown, line())), "a certificate that was not in use")

    def test_a_certificate_that_was_just_replaced(self):
        self.timeline.note("certificate-terminate", "old")
        self.timeline.note("certificate-terminate", "new")
        shown = record(certificate="terminate", fingerprint="old")
        self.assertEqual(self.complaints((shown, line())), [])

    def test_a_session_that_was_resumed_for_one_side_only(self):
        self.assert_one(self.complaints((record("resumed", resumed=True), line(tls_resumed=False))), "resumed or not")
        self.setUp()
        self.assertEqual(self.complaints((record("resumed", resumed=True), line(tls_resumed=True))), [])
        self.assertEqual(self.judge.resumed, 1)

    def test_a_scenario_that_never_came(self):
        self.judge.record(record(outcome="refused", scenario="flapping"))
        self.judge.complaints.clear()
        self.judge.missing({"flapping", "guarded"})
        self.assert_one(self.judge.complaints, "no visit of the scenario guarded")

    def test_a_death_explains_only_what_that_endpoint_served_then(self):
        self.timeline.note("127.0.0.1:7000", "up")
        self.timeline.note("127.0.0.1:7000", "down")
        self.timeline.note("127.0.0.1:7001", "up")
        now = time.time()
        died = {"from": now, "to": now + 1}
        self.assertEqual(self.complaints((record("mortal", "reset", **died), line("backend_reset"))), [])
        self.judge = Quiet(self.timeline)
        later = {"from": now + 100, "to": now + 101}
        survivor = line("backend_reset", upstream_host="127.0.0.1:7001")
        self.assert_one(self.complaints((record("mortal", "reset", **later), survivor)), "unexplained")

    def test_who_is_let_in_though_the_rule_stands(self):
        self.timeline.note("guarded", True)
        later = {"from": time.time() + 100, "to": time.time() + 101}
        self.assert_one(self.complaints((record("guarded", **later), line())), "unexplained")

    def test_a_name_that_is_refused_though_its_route_is_there(self):
        self.timeline.note("passing-1", True)
        later = {"from": time.time() + 100, "to": time.time() + 101, "route": "passing-1"}
        self.assert_one(self.complaints((record("passing", "alert", **later), line("tls_no_sni_match"))), "unexplained")

    def test_a_listener_that_refuses_though_it_is_there(self):
        self.timeline.note("flapping", True)
        later = {"from": time.time() + 100, "to": time.time() + 101}
        self.assert_one(self.complaints((record("flapping", "refused", **later), None), events=[]), "unexplained")

    def test_the_kernel_ends_connections_for_want_of_memory(self):
        self.timeline.note(TCP_MEMORY, "short")
        self.assertEqual(self.complaints((record(outcome="reset"), line("backend_reset"))), [])
        self.assertEqual(self.judge.disturbed, 1)
        self.judge = Quiet(self.timeline)
        self.assert_one(self.complaints((record(outcome="wrong"), line())), "unexplained")

    def test_it_had_enough(self):
        self.timeline.note(TCP_MEMORY, "enough")
        later = {"from": time.time() + 100, "to": time.time() + 101}
        self.assert_one(self.complaints((record(outcome="reset", **later), line("backend_reset"))), "unexplained")

    def test_a_timeout_before_its_time(self):
        late = line("inspection_timeout", duration_ms=PRE_ROUTE_S * 1000.0)
        self.assertEqual(self.complaints((record("hello-then-reset", "reset"), late)), [])
        self.setUp()
        early = line("inspection_timeout", duration_ms=PRE_ROUTE_S * 900.0)
        self.assert_one(self.complaints((record("hello-then-reset", "reset"), early)), "unexplained")
