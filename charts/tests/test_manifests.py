"""manifests/, which is made of the chart: overlays, and `sluice check` of every manifest of the project."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import kubernetes_validate

from .cases import ROOT, binary, documents, values
from .support import Rendering

MANIFESTS = ROOT / "manifests"


def read(path):
    return documents((MANIFESTS / path).read_text(encoding="utf-8"))


def keyed(items):
    return {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item for item in items}


def built(overlay):
    found = subprocess.run(["kubectl", "kustomize", MANIFESTS / f"overlays/{overlay}"], capture_output=True, text=True)
    if found.returncode:
        raise AssertionError(found.stderr)
    return documents(found.stdout)


def meant(given):
    """What the chart renders of values, as a plain manifest: without hooks, and without what only Helm reads."""
    items = [item for item in Rendering(given).objects if "helm.sh/hook" not in item["metadata"].get("annotations", {})]
    for item in items:
        for label in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
            del item["metadata"]["labels"][label]
    return keyed(items)


class Manifests(unittest.TestCase):
    maxDiff = None
    plain = {"image": {"repository": "sluice"}, "crds": {"install": False}, "test": {"enabled": False}}
    hosts = {"kind": "DaemonSet", "exposure": "Host", "hostNetwork": True}
    narrow = {"watchNamespaces": ["shop"], "gatewayClass": {"create": False}}

    def test_they_are_what_the_chart_renders(self):
        wanted = meant(self.plain)
        found = keyed(read("sluice.yaml"))
        self.assertEqual(found.pop(("Namespace", "", "sluice-system"))["metadata"]["labels"],
                         {"pod-security.kubernetes.io/enforce": "restricted"})
        self.assertEqual(found, wanted)

    def test_overlays_are_what_the_chart_renders(self):
        wanted = meant(self.plain | self.hosts)
        found = keyed(built("host"))
        self.assertEqual(found.pop(("Namespace", "", "sluice-system"))["metadata"]["labels"],
                         {"pod-security.kubernetes.io/enforce": "privileged"})
        self.assertEqual(found, wanted)
        found = keyed(built("namespaced"))
        self.assertEqual(found, meant(self.plain | self.narrow))
        self.assertTrue(all(namespace for _, namespace, _ in found), "nothing of cluster scope")

    def test_the_rights_of_one_namespace_are_those_of_the_overlay(self):
        wanted = [item for item in built("namespaced") if item["metadata"]["namespace"] == "shop"]
        for item in wanted:
            del item["metadata"]["namespace"]
        self.assertEqual(keyed(read("namespaced/namespace.yaml")), keyed(wanted))

    def test_retire_is_the_chart_s_job(self):
        for path, given in {"retire.yaml": {}, "overlays/namespaced/retire.yaml": self.narrow}.items():
            wanted = Rendering(self.plain | given).one("Job")
            self.assertEqual(read(path)[0]["spec"], wanted["spec"])
            self.assertNotIn("annotations", read(path)[0]["metadata"])

    def test_they_fit_the_schemas_of_kubernetes(self):
        items = [item for path in ("sluice.yaml", "retire.yaml", "namespaced/namespace.yaml") for item in read(path)]
        for item in [*items, *built("host"), *built("namespaced")]:
            if item["kind"] != "GatewayClass":
                kubernetes_validate.validate(item, "1.31", strict=True)


class Checked(unittest.TestCase):
    """`sluice check` takes every manifest with kinds that it reads."""

    def check(self, *paths):
        found = subprocess.run([binary(), "check", *paths], capture_output=True, text=True, timeout=60)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)
        return found.stdout

    def test_manifests(self):
        self.assertIn("GatewayClass sluice", self.check(MANIFESTS / "sluice.yaml"))
        self.check(MANIFESTS / "retire.yaml", MANIFESTS / "namespaced/namespace.yaml")

    def test_overlays(self):
        with tempfile.TemporaryDirectory() as folder:
            for overlay in ("host", "namespaced"):
                path = Path(folder) / f"{overlay}.yaml"
                path.write_text(subprocess.run(["kubectl", "kustomize", MANIFESTS / f"overlays/{overlay}"], capture_output=True,
                                               text=True, check=True).stdout, encoding="utf-8")
                self.check(path)
