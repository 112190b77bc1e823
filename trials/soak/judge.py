"""Holds what clients saw against what the access log says: each visit with its line, and nothing left over."""
import collections
import json
import sys

from .configuration import ROTATED
from .expectations import expected

# How long after its successor was written a certificate may still be shown.
OLD_CERTIFICATE_S = 10.0
# Where bytes are counted as they are on the socket.
PASSED_THROUGH = ("passthrough", "passing")
KEPT = 200  # complaints
# In which the configuration changes some hundred times.
LASTING_S = 10.0
# In the timeline: `enough`, or `short` from when the kernel was seen to reset connections for want of it.
TCP_MEMORY = "memory for TCP"


class Judge:
    def __init__(self, timeline):
        self._timeline = timeline
        self._records = collections.defaultdict(collections.deque)
        self._lines = collections.defaultdict(collections.deque)
        self.complaints = []
        self.complained = 0
        self.outcomes = collections.Counter()  # by (scenario, outcome, reason)
        self.closes = collections.Counter()  # by (listener, route or None, reason, side), of lines
        self.bytes = collections.Counter()  # of lines: received, sent; of clients: up, down
        self.lines = self.matched = 0
        self.longest_s = 0.0
        self.lasting = self.resumed = 0  # served sessions of LASTING_S and more; sessions of TLS that were resumed
        self.disturbed = 0  # visits that ended otherwise while the kernel had no memory for TCP
        self.unseen_events = set()  # connections that had a line and no event yet, or an event and no line yet

    def complain(self, what):
        self.complained += 1
        if len(self.complaints) < KEPT:
            self.complaints.append(what)
            # At once: a long run may be ended as soon as it is known to have failed.
            print(f"soak: {what}", file=sys.stderr, flush=True)

    def record(self, record):
        key = record.get("key")
        if key is None or record["outcome"] == "refused":
            return self._judge(record, None)
        self._records[key].append(record)
        self._match(key)

    def line(self, text):
        line = json.loads(text)
        if line["event"] != "close":
            return self.complain(f"a line that nobody asked for: {line}")
        self.lines += 1
        self.closes[line["listener"], line.get("route"), line["close_reason"], line["close_side"]] += 1
        self.bytes["received"] += line["bytes_received"]
        self.bytes["sent"] += line["bytes_sent"]
        self.event(line["connection_id"])
        key = line.get("downstream_direct_remote_address") or line["downstream_remote_address"]
        self._lines[key].append(line)
        self._match(key)

    def event(self, connection):
        self.unseen_events ^= {connection}

    def waiting(self):
        """(Visits without a line, lines without a visit), so far."""
        return sum(map(len, self._records.values())), sum(map(len, self._lines.values()))

    def close(self):
        """What has no counterpart will get none."""
        for records in self._records.values():
            for record in records:
                self._judge(record, None)
        for lines in self._lines.values():
            for line in lines:
                self.complain(f"a line without a client: {json.dumps(line)}")
        if self.unseen_events:
            self.complain(f"{len(self.unseen_events)} connections with a line and no event, or the other way round: "
                          f"{sorted(self.unseen_events)[:10]}")

    def _match(self, key):
        records, lines = self._records[key], self._lines[key]
        if records and lines:
            self.matched += 1
            self._judge(records.popleft(), lines.popleft())
        # Keys seldom come again.
        for kept in (self._records, self._lines):
            if not kept[key]:
                del kept[key]

    def _judge(self, record, line):
        scenario, outcome = record["scenario"], record["outcome"]
        self.outcomes[scenario, outcome, line["close_reason"] if line else None] += 1
        if not any(ending.fits(record, line, self._timeline) for ending in expected(scenario)):
            if self._is_disturbed(record):
                return None
            return self.complain(f"unexplained: {json.dumps(record)}\n    line: {json.dumps(line)}")
        if line:
            self._check_bytes(record, line)
            self._check_resumption(record, line)
        if record.get("fingerprint"):
            self._check_certificate(record)
        if outcome == "served":
            self.lasting += record["to"] - record["from"] >= LASTING_S
            self.longest_s = max(self.longest_s, record["to"] - record["from"])

    def _is_disturbed(self, record):
        """Whether the kernel reset connections then. Wrong bytes are wrong all the same."""
        short = self._timeline.touched(TCP_MEMORY, "short", record["from"], record["to"])
        if record["outcome"] in ("wrong", "mistake") or not short:
            return False
        self.disturbed += 1
        return True

    def _check_bytes(self, record, line):
        """What was counted is what the client sent and got, where it got everything."""
        if record["outcome"] != "served":
            return
        raw = "raw_" if line["listener"] in PASSED_THROUGH else ""
        counted = line["bytes_received"], line["bytes_sent"]
        if counted != (record[f"{raw}up"], record[f"{raw}down"]):
            self.complain(f"counted {counted}: {json.dumps(record)}\n    line: {json.dumps(line)}")

    def _check_resumption(self, record, line):
        if record.get("resumed", line.get("tls_resumed")) != line.get("tls_resumed"):
            self.complain(f"resumed or not: {json.dumps(record)}\n    line: {json.dumps(line)}")
        self.resumed += bool(line.get("tls_resumed"))

    def missing(self, scenarios):
        """Complains of scenarios of which not one visit came to an end: nothing is known of them."""
        for name in sorted(scenarios - {scenario for scenario, _, _ in self.outcomes}):
            self.complain(f"no visit of the scenario {name}")

    def _check_certificate(self, record):
        """The one that was in use, or one that was replaced just before: never another."""
        name = record["certificate"]
        allowed = self._timeline.during(f"certificate-{name}", record["from"] - OLD_CERTIFICATE_S, record["to"])
        if name in ROTATED and record["fingerprint"] not in allowed:
            self.complain(f"a certificate that was not in use: {json.dumps(record)}, of {len(allowed)} that were")
