"""Holds what the gateway counted against its access log."""
import collections
import re

# Of what comes and goes, metrics go with it.
PASSING = re.compile(r"^(flapping|passing)$|passing-\d$")


def check(gateway, judge):
    metrics = gateway.metrics()
    counted = collections.Counter()
    for labels, value in metrics.matching("sluice_listener_connections_rejected_total"):
        counted[labels["listener"], None, labels["reason"]] += int(value)
    for labels, value in metrics.matching("sluice_tcp_connections_closed_total"):
        counted[labels["listener"], f"{labels['route_namespace']}/{labels['route']}", labels["reason"]] += int(value)
    logged = collections.Counter()
    for (listener, route, reason, _), count in judge.closes.items():
        logged[listener, route, reason] += count
    for key in sorted(counted.keys() | logged.keys(), key=str):
        if not PASSING.search(key[0]) and counted[key] != logged[key]:
            judge.complain(f"metrics count {counted[key]} ends of {key}, the access log has {logged[key]}")
    _totals(gateway, metrics, judge)


def _totals(gateway, metrics, judge):
    """What removed routes have counted is in these as well."""
    total = gateway.ask("/traffic")["total"]
    for name, logged in ("accepted", judge.lines), ("requestBytes", judge.bytes["received"]), ("responseBytes", judge.bytes["sent"]):
        if total[name] != logged:
            judge.complain(f"{name} is {total[name]}, by the access log {logged}")
    for name, wanted in (("sluice_access_log_dropped_total", 0), ("sluice_events_dropped_total", 0), ("sluice_buffered_bytes", 0),
                         ("sluice_config_sessions_disrupted_total", 0), ("sluice_listener_connections_active", 0),
                         ("sluice_tcp_connections_active", 0), ("sluice_backend_connections_active", 0),
                         ("sluice_backend_pending_connections", 0), ("sluice_events_pending", 0),
                         ("sluice_config_last_reload_successful", 1)):
        if metrics.sum(name) != wanted:
            judge.complain(f"{name} is {metrics.sum(name):.0f} at the end, not {wanted}")
