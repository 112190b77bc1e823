"""Every set of values under values/: what Helm renders of it is of the right shape, and as the snapshot says."""

import difflib
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import kubernetes_validate
import yaml

from . import shapes
from .cases import CASES, CHART, ROOT, TESTS, UPDATES, binary, documents, values
from .support import Rendering

# The oldest version that the chart installs on, and the newest that there are schemas of.
VERSIONS = ("1.31", kubernetes_validate.latest_version())
OPERATOR = "monitoring.coreos.com/v1"


def shortened(item):
    """Without what is a copy of a file: test_copies compares it."""
    if item["kind"] == "CustomResourceDefinition":
        return {**item, "spec": f"that of crds/sluice.dev_{item['metadata']['name'].split('.')[0]}.yaml"}
    if item["kind"] == "PrometheusRule":
        return {**item, "spec": "that of deploy/prometheus/alerts.yaml"}
    if item["kind"] == "ConfigMap" and any(name.endswith(".json") for name in item.get("data", {})):
        return {**item, "data": {name: "that of deploy/grafana" for name in item["data"]}}
    return item


class Snapshots(unittest.TestCase):
    maxDiff = None

    def test_snapshots(self):
        for case in CASES:
            with self.subTest(case):
                rendering = Rendering(values(case))
                path = TESTS / f"snapshots/{case}.yaml"
                text = yaml.safe_dump_all(map(shortened, rendering.objects), sort_keys=True, width=130, allow_unicode=True)
                notes = [f"  {line}".rstrip() for line in rendering.notes.strip().split("\n")]
                text = f"{text}---\nnotes: |\n" + "\n".join(notes) + "\n"
                if UPDATES:
                    path.write_text(text, encoding="utf-8")
                before = path.read_text(encoding="utf-8") if path.exists() else ""
                lines = difflib.unified_diff(before.split("\n"), text.split("\n"), "snapshot", "rendered", lineterm="")
                difference = "\n".join(lines)
                self.assertEqual(difference, "", "if this is meant: make chart\n" + difference)

    def test_no_snapshot_is_left_over(self):
        self.assertEqual(sorted(path.stem for path in (TESTS / "snapshots").glob("*.yaml")), CASES)


class Rendered(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.renderings = {case: Rendering(values(case)) for case in CASES}

    def test_there_are_enough_cases(self):
        self.assertGreaterEqual(len(CASES), 15)

    def test_objects_fit_the_schemas_of_kubernetes(self):
        seen, judged = set(), set()
        for case, rendering in self.renderings.items():
            with self.subTest(case):
                for item in rendering.objects:
                    group = item["apiVersion"].rpartition("/")[0]
                    if "." in group and not group.endswith(".k8s.io") or group == "gateway.networking.k8s.io":
                        continue
                    seen.add(item["kind"])
                    text = json.dumps(item)
                    if text in judged:
                        continue
                    judged.add(text)
                    for version in VERSIONS:
                        with self.subTest(f"{item['kind']} {item['metadata']['name']}", version=version):
                            kubernetes_validate.validate(item, version, strict=True)
        self.assertGreaterEqual(seen, {
            "Deployment", "DaemonSet", "Service", "ConfigMap", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role",
            "RoleBinding", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "Job", "Pod",
            "CustomResourceDefinition",
        })

    def test_objects_of_the_prometheus_operator_fit_its_types(self):
        seen = set()
        for case, rendering in self.renderings.items():
            with self.subTest(case):
                for item in rendering.objects:
                    if item["apiVersion"] == OPERATOR:
                        seen.add(item["kind"])
                        self.assertEqual(shapes.problems(item), [])
        self.assertEqual(seen, {"PodMonitor", "ServiceMonitor", "PrometheusRule"})

    def test_no_object_is_there_twice_and_each_has_the_common_labels(self):
        for case, rendering in self.renderings.items():
            with self.subTest(case):
                names = [(item["apiVersion"], item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
                         for item in rendering.objects]
                self.assertEqual(len(names), len(set(names)))
                for item in rendering.objects:
                    self.assertEqual(item["metadata"]["labels"]["app.kubernetes.io/part-of"], "sluice")
                    self.assertEqual(item["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm")

    def test_labels_and_annotations_of_one_s_own_are_on_everything(self):
        for item in self.renderings["labels"].objects:
            metadata = [item["metadata"]]
            if "template" in item.get("spec", {}):
                metadata.append(item["spec"]["template"]["metadata"])
            for found in metadata:
                self.assertEqual(found["labels"].get("team"), "network", item["kind"])
                self.assertEqual(found["annotations"].get("example.com/owner"), "network@example.com", item["kind"])
        selector = self.renderings["labels"].workload["spec"]["selector"]["matchLabels"]
        self.assertEqual(sorted(selector), ["app.kubernetes.io/instance", "app.kubernetes.io/name"])

    def test_sluice_check_takes_what_it_reads(self):
        for case, rendering in self.renderings.items():
            with self.subTest(case):
                items = [item for item in rendering.objects if item["apiVersion"].partition("/")[0] in
                         ("gateway.networking.k8s.io", "sluice.dev") or item["kind"] == "Service"]
                if not any(item["kind"] == "Gateway" for item in items):
                    continue
                classes = [{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
                            "metadata": {"name": values(case).get("gatewayClass", {}).get("name", "sluice")},
                            "spec": {"controllerName": values(case).get("controllerName", "sluice.dev/gateway-controller")}}]
                items = [exposed(item) for item in items if item["kind"] != "GatewayClass"] + classes
                flags = [arg for arg in rendering.args if arg.startswith(("--controller-name=", "--gateway-class="))]
                # A cluster's addresses for the test's pod, which no manifest has.
                items.append(slice_for(next(item for item in items if item["kind"] == "TCPRoute")))
                self.assert_checked(yaml.safe_dump_all(items), flags)

    def test_sluice_check_takes_what_the_test_s_server_serves(self):
        for case, rendering in self.renderings.items():
            with self.subTest(case):
                for item in rendering.all("ConfigMap"):
                    if "answer.yaml" in item.get("data", {}):
                        self.assert_checked(item["data"]["answer.yaml"], [])

    def assert_checked(self, text, flags):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "manifests.yaml"
            path.write_text(text, encoding="utf-8")
            found = subprocess.run([binary(), "check", *flags, path], capture_output=True, text=True, timeout=30)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)


def exposed(item):
    """A Gateway without a Service of its own: `check` speaks of a host, not of a cluster."""
    if item["kind"] != "Gateway":
        return item
    return {**item, "spec": {name: value for name, value in item["spec"].items() if name != "infrastructure"}}


def slice_for(route):
    namespace, name = route["metadata"]["namespace"], route["metadata"]["name"]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "server", "port": 19000, "protocol": "TCP"}]}


class Copies(unittest.TestCase):
    def test_what_is_made_of_the_chart_is_not_stale(self):
        found = subprocess.run([sys.executable, ROOT / "scripts/chart", "--check"], capture_output=True, text=True)
        self.assertEqual(found.returncode, 0, found.stderr)

    def test_the_chart_s_files_are_those_of_the_project(self):
        originals = [(path, CHART / f"files/crds/{path.name}") for path in sorted((ROOT / "crds").glob("*.yaml"))]
        dashboards = sorted((ROOT / "deploy/grafana").glob("*.json"))
        originals += [(path, CHART / f"files/dashboards/{path.name}") for path in dashboards]
        originals.append((ROOT / "deploy/prometheus/alerts.yaml", CHART / "files/alerts.yaml"))
        self.assertEqual(sorted(copy for _, copy in originals),
                         sorted(path for path in (CHART / "files").rglob("*") if path.is_file()))
        for original, copy in originals:
            with self.subTest(original.name):
                self.assertEqual(copy.read_bytes(), original.read_bytes(), "run: make chart")

    def test_definitions_are_rendered_as_they_are(self):
        for case, keeps in (("default", True), ("process", True)):
            rendered = {item["metadata"]["name"]: item for item in Rendering(values(case)).all("CustomResourceDefinition")}
            for path in sorted((ROOT / "crds").glob("*.yaml")):
                original = documents(path.read_text(encoding="utf-8"))[0]
                found = rendered.pop(original["metadata"]["name"])
                self.assertEqual(found["spec"], original["spec"])
                self.assertEqual(found["metadata"]["annotations"].get("helm.sh/resource-policy"), "keep" if keeps else None)
            self.assertEqual(rendered, {})

    def test_alerts_are_rendered_as_they_are(self):
        original = documents((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))[0]
        found = Rendering(values("service-monitor")).one("PrometheusRule")
        self.assertEqual(found["spec"], original["spec"])
        found = Rendering(values("monitoring")).one("PrometheusRule")
        rules = [rule for group in found["spec"]["groups"] for rule in group["rules"]]
        wanted = [rule for group in original["spec"]["groups"] for rule in group["rules"]]
        wanted = [rule for rule in wanted if rule["alert"] != "SluiceListenerDown"]
        self.assertEqual([rule["alert"] for rule in rules], [rule["alert"] for rule in wanted])
        self.assertEqual([rule["annotations"] for rule in rules], [rule["annotations"] for rule in wanted])
        self.assertEqual({rule["labels"]["team"] for rule in rules}, {"network"})

    def test_dashboards_are_rendered_as_they_are(self):
        maps = Rendering(values("monitoring")).all("ConfigMap")
        found = {name: text for item in maps for name, text in item.get("data", {}).items()}
        for path in (ROOT / "deploy/grafana").glob("*.json"):
            self.assertEqual(found[f"sluice-{path.name}"].strip(), path.read_text(encoding="utf-8").strip())
