"""What the alerts of deploy/prometheus and the dashboards of deploy/grafana ask Prometheus for, and which metrics and labels they
name. The parser knows as much of PromQL as that takes: strings, matchers, groupings, functions."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import yaml

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\[[^]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|\d[\w.]*|=~|!~|!=|[^\s]')
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan", "atan2"}
# What Prometheus adds to all series of a target.
OF_TARGETS = {"job", "instance", "namespace", "pod"}
LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Query(NamedTuple):
    where: str
    text: str
    # Labels that are named outside of the query, by what shows its result.
    shown: frozenset = frozenset()


class Named(NamedTuple):
    # (metric, labels of its matchers)
    selectors: list
    # Labels of groupings.
    grouped: set


def parse(text):
    """The metrics and labels that an expression names."""
    tokens = TOKEN.findall(text)
    selectors, grouped, at = [], set(), 0
    while at < len(tokens):
        token, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
        at += 1
        if token in GROUPINGS:
            if following == "(":
                end = tokens.index(")", at)
                grouped |= {label for label in tokens[at + 1:end] if label != ","}
                at = end + 1
        elif NAME.fullmatch(token) and token not in WORDS and following != "(" and following not in GROUPINGS:
            labels = set()
            if following == "{":
                end = tokens.index("}", at)
                labels = {tokens[i] for i in range(at + 1, end - 1) if tokens[i + 1] in ("=", "=~", "!=", "!~")}
                at = end + 1
            selectors.append((token, labels))
    return Named(selectors, grouped)


def rules(root):
    """The groups of the PrometheusRule, as a rule file has them."""
    document = yaml.safe_load((root / "prometheus/alerts.yaml").read_text(encoding="utf-8"))
    assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    return {"groups": document["spec"]["groups"]}


def alerts(root):
    for group in rules(root)["groups"]:
        for rule in group["rules"]:
            words = " ".join(rule["annotations"].values())
            yield Query(f"alert {rule['alert']}", rule["expr"], frozenset(re.findall(r"\$labels\.(\w+)", words)))


def dashboards(root):
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / "grafana").glob("*.json"))}


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def variables(dashboard):
    """Queries of variables: a selector, and the label whose values are asked for."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            yield Query(f"variable {variable['name']}", selector, frozenset([label]))


def asked(root):
    """Every query of every alert and dashboard."""
    yield from alerts(root)
    for name, dashboard in dashboards(root).items():
        queries = list(variables(dashboard))
        for panel in panels(dashboard):
            queries += [Query(panel["title"], target["expr"], frozenset(LEGEND.findall(target["legendFormat"])))
                        for target in panel.get("targets", [])]
        for annotation in dashboard["annotations"]["list"]:
            queries.append(Query(annotation["name"], annotation["expr"], frozenset(LEGEND.findall(annotation["textFormat"]))))
        yield from (query._replace(where=f"{name}: {query.where}") for query in queries)


def known(metrics, name):
    """The labels of a metric, or of the histogram that a series belongs to; None where there is none."""
    if name in metrics:
        return metrics[name]
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return metrics[base] | {"le"} if base in metrics else None


def faults(queries, metrics):
    """Where a query names a metric or a label that does not exist. `metrics`: labels by name."""
    for query in queries:
        named = parse(query.text)
        if not named.selectors:
            yield f"{query.where}: names no metric"
        every = set(OF_TARGETS)
        for metric, labels in named.selectors:
            has = known(metrics, metric)
            if has is None:
                yield f"{query.where}: there is no metric {metric}"
                continue
            every |= has
            for label in sorted(labels - has - OF_TARGETS):
                yield f"{query.where}: {metric} has no label {label}"
        for label in sorted((named.grouped | query.shown) - every):
            yield f"{query.where}: none of its metrics has a label {label}"


def documented(page):
    """Labels by metric, as docs/reference/metrics.md lists them."""
    text = Path(page).read_text(encoding="utf-8")
    sets = {}
    for letter, labels in re.findall(r"\*\*([LRB])\*\* = (.*?)[;.](?=\s)", text, re.DOTALL):
        sets[letter] = set(re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", labels)) - {"and"}
        if "L and" in labels:
            sets[letter] |= sets["L"]
    metrics = {}
    for name, labels in re.findall(r"^\| `([a-z_]+)` \| (?:counter|gauge|histogram) \| ([^|]*)\|", text, re.MULTILINE):
        metrics[name] = set(re.findall(r"`(\w+)`", labels)).union(*(sets[letter] for letter in re.findall(r"\b[LRB]\b", labels)))
    return metrics


def exposed(text):
    """Labels by metric, as a scrape has them."""
    metrics, types = {}, dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    for name, labels in re.findall(r"^([a-z_]\w*)(\{.*\})? \S+$", text, re.MULTILINE):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        found = set(re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', labels))
        metrics.setdefault(base if types.get(base) == "histogram" else name, set()).update(found - {"le"})
    return metrics
