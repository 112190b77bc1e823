"""How each scenario may end: what its client saw, with the reason that the access log gives for it."""
import dataclasses
import typing

# What a PROXY header, a hello and a handshake may take at the listeners that are strict about it.
PRE_ROUTE_S = 3
# How exact the gateway's timers are.
TICK_MS = 5

CLEAN = frozenset({"client_closed", "backend_closed"})


@dataclasses.dataclass(frozen=True)
class Ending:
    """`when` judges (record, line, timeline); without it the ending may come at any time."""

    outcome: str
    reasons: frozenset  # empty: there must be no line, as nothing was accepted
    when: typing.Callable = None
    detail: str = ""  # what the line's close_detail begins with

    def fits(self, record, line, timeline):
        if record["outcome"] != self.outcome:
            return False
        if line is None:
            return not self.reasons and (not self.when or self.when(record, line, timeline))
        return (line["close_reason"] in self.reasons and line.get("close_detail", "").startswith(self.detail)
                and (not self.when or self.when(record, line, timeline)))


def _ending(outcome, *reasons, **more):
    return Ending(outcome, frozenset(reasons), **more)


SERVED = _ending("served", *CLEAN)


def _steady(name, state):
    """Whether a thing was so all the time of the visit."""
    return lambda record, line, timeline: timeline.steady(name, state, record["from"], record["to"])


def _not_steady(name, state):
    return lambda record, line, timeline: not timeline.steady(name, state, record["from"], record["to"])


def _route(state):
    """The route that the visit asked for was not always in the other state."""
    return lambda record, line, timeline: not timeline.steady(record["route"], not state, record["from"], record["from"])


def _endpoint_died(record, line, timeline):
    return not timeline.steady(line["upstream_host"], "up", record["from"], record["to"])


_DIED = [_ending(outcome, "backend_reset", *CLEAN, when=_endpoint_died) for outcome in ("reset", "ended")]

EXPECTED = {
    # Where something comes and goes.
    "flapping": [SERVED, _ending("refused", when=_not_steady("flapping", True)),
                 _ending("reset", when=_not_steady("flapping", True)),
                 _ending("reset", "no_route", "listener_removed", when=_not_steady("flapping", True))],
    "guarded": [dataclasses.replace(SERVED, when=_not_steady("guarded", True)),
                _ending("reset", "authz_denied", when=_not_steady("guarded", False))],
    "passing": [dataclasses.replace(SERVED, when=_route(True)),
                _ending("alert", "tls_no_sni_match", when=_route(False))],
    "mortal": [SERVED, *_DIED],
    "mortal-tls": [SERVED, *_DIED],
    "mortal-bulk": [SERVED, *_DIED],
    "lonely": [SERVED, *_DIED, _ending("reset", "connect_refused", when=_endpoint_died)],
    # Limits.
    "queued": [SERVED, _ending("reset", "queue_full", "queue_timeout")],
    "one-source": [SERVED, _ending("reset", "source_connection_limit")],
    # Backends that end otherwise than in order, which the client is to see as it is.
    "backend-reset-plain": [_ending("reset", "backend_reset")],
    "backend-reset-passthrough": [_ending("reset", "backend_reset")],
    "backend-reset-terminate": [_ending("reset", "backend_reset")],
    "backend-reset-reencrypt": [_ending("reset", "backend_reset")],
    "backend-cut-plain": [_ending("ended", *CLEAN)],
    "backend-cut-terminate": [_ending("ended", *CLEAN)],
    "backend-cut-passthrough": [_ending("truncated", *CLEAN)],
    "backend-cut-reencrypt": [_ending("truncated", "tls_truncated")],
    # Clients that misbehave.
    "says-nothing": [_ending("reset", "inspection_timeout")],
    "half-hello-then-nothing": [_ending("reset", "inspection_timeout")],
    "half-hello-then-end": [_ending("reset", "client_closed")],
    "half-hello-then-reset": [_ending("left", "client_reset")],
    "hello-in-crumbs": [_ending("left", "client_reset")],
    "hello-then-nothing": [_ending("reset", "tls_handshake_timeout")],
    "hello-then-reset": [_ending("left", "client_reset")],
    "garbage-for-tls": [_ending("reset", "not_tls")],
    "garbage-after-hello": [_ending("ended", "tls_error", detail="bad_record")],
    "garbage-for-proxy": [_ending("reset", "proxy_protocol_malformed")],
    "no-proxy-header": [_ending("reset", "proxy_protocol_missing")],
    "half-proxy-header": [_ending("reset", "proxy_protocol_timeout")],
    "postgres-in-the-clear": [_ending("ended", "starttls_error")],
    "unknown-name": [_ending("alert", "tls_no_sni_match")],
    "without-certificate": [_ending("alert", "tls_error", detail="client_cert_required")],
    "foreign-certificate": [_ending("alert", "tls_error", detail="client_cert_unknown_ca")],
    "distrusts": [_ending("untrusted", "tls_error", detail="client_rejected_certificate")],
    "connects-and-ends": [_ending("ended", *CLEAN), _ending("reset", "client_closed")],
    "connects-and-resets": [_ending("left", "client_reset")],
    "resets-in-transfer": [_ending("left", "client_reset")],
    "vanishes": [_ending("left", "tls_truncated")],
    "never-reads": [_ending("left", "client_reset")],
    "never-reads-and-uploads": [_ending("left", "client_reset")],
    "idles": [_ending("ended", "idle_timeout")],
    "holds-half-open": [_ending("ended", "idle_timeout")],
}


# A client that stood still itself for as long as a header or a hello may take.
_TOO_SLOW = [_ending(outcome, reason, when=lambda record, line, timeline: line["duration_ms"] >= PRE_ROUTE_S * 1000 - TICK_MS)
             for outcome in ("reset", "left") for reason in ("inspection_timeout", "proxy_protocol_timeout", "tls_handshake_timeout")]


def expected(scenario):
    """The endings that explain a visit of this scenario: everybody else is served."""
    return [*EXPECTED.get(scenario, [SERVED]), *_TOO_SLOW]
