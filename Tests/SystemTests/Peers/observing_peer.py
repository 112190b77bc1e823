"""Holds the alerts and dashboards of deploy/ against promtool, Prometheus and Grafana's own model of a dashboard.

    observing_peer.py rules DEPLOY            promtool checks the rules and runs their tests
    observing_peer.py names DEPLOY METRICS    every metric and label exists in docs/reference/metrics.md
    observing_peer.py models DEPLOY           Grafana's model knows all that the dashboards say
    observing_peer.py scrape DEPLOY ADDRESS PORT   a Prometheus at this free port scrapes ADDRESS, loads the rules and answers every query

Prints an object: `faults`, and of `scrape` the queries that were `answered` with data."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml
from queries import asked, dashboards, documented, exposed, faults, rules

CONFIGURATION = {"global": {"scrape_interval": "500ms", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"]}
# Grafana keeps these as they are; its model does not name them.
UNNAMED = {"titleFormat", "textFormat"}


def write_rules(root, folder):
    path = Path(folder) / "rules.yaml"
    path.write_text(yaml.safe_dump(rules(root), sort_keys=False), encoding="utf-8")
    return path


def run_rules(root):
    with tempfile.TemporaryDirectory() as folder:
        path = write_rules(root, folder)
        tests = shutil.copy(root / "prometheus/alerts_test.yaml", folder)
        for arguments in (["check", "rules", str(path)], ["test", "rules", tests]):
            done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
            if done.returncode:
                yield f"promtool {' '.join(arguments[:2])}: {done.stdout}{done.stderr}"
    tested = yaml.safe_load((root / "prometheus/alerts_test.yaml").read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tested for case in test["alert_rule_test"]]
    firing = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    for rule in (rule for group in rules(root)["groups"] for rule in group["rules"]):
        yield from (f"{rule['alert']}: no test in which it {what}" for what, names in (("fires", firing), ("is silent", silent))
                    if rule["alert"] not in names)
        yield from (f"{rule['alert']}: no {key}" for key in ("summary", "description", "runbook") if key not in rule["annotations"])


def run_pages(root):
    """Each alert has a heading of its own in docs/alerts.md, where its runbook points to."""
    headings = re.findall(r"^## (\w+)$", (root.parent / "docs/alerts.md").read_text(encoding="utf-8"), re.MULTILINE)
    for rule in (rule for group in rules(root)["groups"] for rule in group["rules"]):
        if rule["alert"] not in headings or rule["annotations"]["runbook"] != f"docs/alerts.md#{rule['alert'].lower()}":
            yield f"{rule['alert']}: its runbook does not point to a heading of docs/alerts.md"
    for name in set(headings) - {rule["alert"] for group in rules(root)["groups"] for rule in group["rules"]}:
        yield f"docs/alerts.md: there is no alert {name}"


def lost(ours, theirs, path=""):
    if isinstance(ours, dict):
        for key, value in ours.items():
            if key in UNNAMED or value in (None, [], {}, ""):
                continue
            yield from lost(value, theirs.get(key) if isinstance(theirs, dict) else None, f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs)):
            yield from lost(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path}: {ours!r}"


def run_models(root):
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard
    found = dashboards(root)
    if not found:
        yield "no dashboard"
    for name, dashboard in found.items():
        read = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
        yield from (f"{name}{path}" for path in lost(dashboard, read))
        yield from (f"{name}: a datasource is named: {uid}" for uid in re.findall(r'"uid": "([^"]*)"', json.dumps(dashboard["panels"]))
                    if uid != "${datasource}")
        identifiers = [panel["id"] for panel in dashboard["panels"]]
        if len(set(identifiers)) < len(identifiers):
            yield f"{name}: two panels with one id"


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def ask(server, text):
    """The answer to a query, with a dashboard's variables filled in."""
    text = re.sub(r"\$\{?__rate_interval\}?", "5s", text)
    text = re.sub(r"\$\w+", ".*", text)
    return json.loads(get(f"{server}/api/v1/query?query={urllib.parse.quote(text)}"))


def start_prometheus(root, folder, address, port):
    write_rules(root, folder)
    jobs = [{"job_name": "sluice", "static_configs": [{"targets": [address]}]}]
    path = Path(folder) / "prometheus.yaml"
    path.write_text(yaml.safe_dump(CONFIGURATION | {"scrape_configs": jobs}), encoding="utf-8")
    arguments = [f"--config.file={path}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    return subprocess.Popen(["prometheus", "--log.level=warn", *arguments]), f"http://127.0.0.1:{port}"


def wait(what, condition):
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (OSError, LookupError, json.JSONDecodeError):
            pass
        time.sleep(0.1)
    raise TimeoutError(what)


def run_scrape(root, address, port):
    found, answered = [], []
    with tempfile.TemporaryDirectory() as folder:
        prometheus, server = start_prometheus(root, folder, address, port)
        try:
            wait("several scrapes", lambda: float(
                ask(server, 'count_over_time(sluice_build_info[1m])')["data"]["result"][0]["value"][1]) >= 6)
            wait("rules", lambda: all(
                rule["health"] == "ok" for group in json.loads(get(f"{server}/api/v1/rules"))["data"]["groups"]
                for rule in group["rules"]))
            metrics = exposed(get(f"http://{address}/metrics"))
            page = documented(root.parent / "docs/reference/metrics.md")
            found += faults(asked(root), page | metrics)
            for query in asked(root):
                answer = ask(server, query.text)
                if answer["status"] != "success":
                    found.append(f"{query.where}: {answer['error']}")
                elif answer["data"]["result"]:
                    answered.append(query.where)
        finally:
            prometheus.terminate()
            prometheus.wait()
    return found, answered


def main(mode, deploy, *more):
    root, answered = Path(deploy).resolve(), []
    if mode == "rules":
        found = [*run_rules(root), *run_pages(root)]
    elif mode == "names":
        found = list(faults(asked(root), documented(more[0])))
    elif mode == "models":
        found = list(run_models(root))
    else:
        found, answered = run_scrape(root, *more)
    print(json.dumps({"faults": sorted(set(found)), "answered": answered}))


main(*sys.argv[1:])
