"""The types of the Prometheus Operator that the chart uses, as far as it uses them: a field that is not here is an error.
After the operator's API reference for monitoring.coreos.com/v1 (prometheus-operator 0.80 and later)."""

import re

DURATION = re.compile(r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$")
LABELS = {"*": str}
RELABELING = {
    "sourceLabels": [str], "separator": str, "targetLabel": str, "regex": str, "modulus": int, "replacement": str,
    "action": re.compile("^(replace|keep|drop|hashmod|labelmap|labeldrop|labelkeep|lowercase|uppercase|keepequal|dropequal)$"),
}
ENDPOINT = {
    "port": str, "path": str, "scheme": re.compile("^https?$"), "interval": DURATION, "scrapeTimeout": DURATION,
    "honorLabels": bool, "relabelings": [RELABELING], "metricRelabelings": [RELABELING],
}
SELECTOR = {"matchLabels": LABELS}
MONITOR = {"jobLabel": str, "namespaceSelector": {"any": bool, "matchNames": [str]}, "selector!": SELECTOR}
RULE = {"alert!": str, "expr!": str, "for": DURATION, "keep_firing_for": DURATION, "labels": LABELS, "annotations": LABELS}
GROUP = {"name!": str, "interval": DURATION, "limit": int, "labels": LABELS, "rules!": [RULE]}
SPECS = {
    "PodMonitor": {**MONITOR, "podMetricsEndpoints!": [ENDPOINT]},
    "ServiceMonitor": {**MONITOR, "endpoints!": [ENDPOINT]},
    "PrometheusRule": {"groups!": [GROUP]},
}


def problems(item):
    """What is wrong with an object, by path."""
    found = list(differences(item["spec"], SPECS[item["kind"]], "spec"))
    extra = set(item) - {"apiVersion", "kind", "metadata", "spec"}
    return found + [f"{name}: unknown" for name in sorted(extra)]


def differences(value, shape, path):
    if isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.match(value):
            yield f"{path}: {value!r} does not match {shape.pattern}"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path}: not a list"
            return
        for index, element in enumerate(value):
            yield from differences(element, shape[0], f"{path}[{index}]")
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{path}: not an object"
            return
        known = {name.rstrip("!"): inner for name, inner in shape.items()}
        yield from (f"{path}.{name[:-1]}: missing" for name in shape if name.endswith("!") and name[:-1] not in value)
        for name, inner in value.items():
            if name in known or "*" in known:
                yield from differences(inner, known.get(name, known.get("*")), f"{path}.{name}")
            else:
                yield f"{path}.{name}: unknown"
    elif type(value) is not shape:
        yield f"{path}: {value!r} is no {shape.__name__}"
