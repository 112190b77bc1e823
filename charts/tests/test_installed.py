"""Helm's library installs, upgrades and removes the chart at an API server, and what it installed serves."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import helm_sdkpy

from .cases import CASES, CHART, IMAGE, ROOT, documents, values
from .cluster import Cluster, Helm, JobRunner


def plain(release):
    return documents(release["manifest"])


class ClusterCase(unittest.TestCase):
    def cluster(self, **options):
        cluster = Cluster(**options)
        self.addCleanup(cluster.close)
        return cluster

    def refusal(self, cluster, given, **options):
        with self.assertRaises(helm_sdkpy.InstallError) as caught:
            Helm(cluster).install(given, **options)
        self.assertEqual(cluster.list("/apis/apps/v1/deployments"), [])
        return str(caught.exception)


class Installed(ClusterCase):
    def test_every_case_is_installed_upgraded_and_removed(self):
        for case in CASES:
            with self.subTest(case):
                cluster = self.cluster()
                helm = Helm(cluster)
                given = values(case)
                first = plain(helm.install(given))
                for item in first:
                    stored = cluster.get(item)
                    self.assertIsNotNone(stored, f"{item['kind']} {item['metadata']['name']}")
                    self.assertEqual(stored["metadata"]["annotations"]["meta.helm.sh/release-name"], "sluice")
                self.assert_small(cluster)
                after = given | {"commonLabels": {"round": "second"}, "replicas": 3}
                for item in plain(helm.upgrade(after)):
                    self.assertEqual(cluster.get(item)["metadata"]["labels"].get("round"), "second", item["kind"])
                self.assertEqual(len(helm.history()), 2)
                with JobRunner(cluster) as jobs:
                    helm.uninstall()
                retires = given.get("retire", {}).get("enabled", True)
                self.assertEqual([code for code, _ in jobs.ran], [0] if retires else [], jobs.ran)
                for item in first:
                    self.assertEqual(cluster.get(item) is not None, item["kind"] == "CustomResourceDefinition", item["kind"])
                self.assertEqual(cluster.list("/apis/batch/v1/jobs"), [])

    def assert_small(self, cluster):
        """A release is kept in a Secret, which may hold a mebibyte."""
        for secret in cluster.list("/api/v1/namespaces/sluice-system/secrets"):
            if secret["type"] == "helm.sh/release.v1":
                self.assertLess(len(json.dumps(secret["data"])), 600_000)

    def test_without_gateway_api_the_command_that_installs_it_is_shown(self):
        cluster = self.cluster()
        for definition in cluster.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"):
            if definition["spec"]["group"] == "gateway.networking.k8s.io":
                cluster.control(f"remove-kind?kind={definition['spec']['names']['kind']}")
        text = self.refusal(cluster, IMAGE)
        self.assertIn("Gateway API is missing in this cluster", text)
        readme = (ROOT / "README.md").read_text(encoding="utf-8").split("\n")
        command = next(line for line in readme if "standard-install.yaml" in line)
        self.assertIn(command, text)
        Helm(cluster).install(IMAGE | {"gatewayAPI": {"check": False}, "gatewayClass": {"create": False}})

    def test_kinds_that_an_older_gateway_api_lacks_are_named(self):
        cluster = self.cluster()
        cluster.control("remove-kind?kind=TCPRoute")
        cluster.control("remove-kind?kind=TLSRoute")
        text = self.refusal(cluster, IMAGE)
        self.assertIn("too old, or lacks kinds that Sluice serves: TCPRoute, TLSRoute.", text)
        self.assertIn("kubectl apply --server-side -f https://", text)

    def test_monitors_without_the_operator_are_named(self):
        cluster = self.cluster(has_operator=False)
        for given, words in (
            ({"metrics": {"podMonitor": {"enabled": True}}}, "metrics.podMonitor.enabled: this cluster has no PodMonitor"),
            ({"metrics": {"service": {"enabled": True}, "serviceMonitor": {"enabled": True}}}, "cluster has no ServiceMonitor"),
            ({"alerts": {"enabled": True}}, "alerts.enabled: this cluster has no PrometheusRule"),
        ):
            self.assertIn(words, self.refusal(cluster, IMAGE | given))
        Helm(cluster).install(IMAGE)

    def test_a_wrong_value_installs_nothing(self):
        text = self.refusal(self.cluster(), IMAGE | {"replicas": "two"})
        self.assertIn("at '/replicas'", text)


class Definitions(ClusterCase):
    """The definitions of sluice.dev: upgraded, kept, adopted."""

    name = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "backends.sluice.dev"},
    }

    def older(self):
        """The chart with a definition that lacks a field."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        chart = Path(folder.name) / "sluice"
        shutil.copytree(CHART, chart)
        path = chart / "files/crds/sluice.dev_backends.yaml"
        text = path.read_text(encoding="utf-8")
        self.assertIn("shortNames: [slb]", text)
        path.write_text(text.replace("shortNames: [slb]", "shortNames: [old]"), encoding="utf-8")
        return chart

    def short_names(self, cluster):
        return cluster.get(self.name)["spec"]["names"]["shortNames"]

    def test_they_are_upgraded_and_kept(self):
        cluster = self.cluster()
        helm = Helm(cluster)
        helm.install(IMAGE, chart=self.older())
        self.assertEqual(self.short_names(cluster), ["old"])
        helm.upgrade(IMAGE)
        self.assertEqual(self.short_names(cluster), ["slb"])
        with JobRunner(cluster):
            helm.uninstall()
        self.assertEqual(self.short_names(cluster), ["slb"])
        # A release of the same name has them again.
        Helm(cluster).install(IMAGE)

    def test_they_go_where_they_are_not_kept(self):
        cluster = self.cluster()
        helm = Helm(cluster)
        helm.install(IMAGE | {"crds": {"keep": False}})
        with JobRunner(cluster):
            helm.uninstall()
        self.assertIsNone(cluster.get(self.name))

    def test_those_that_were_applied_are_adopted(self):
        cluster = self.cluster()
        cluster.put(*(documents(path.read_text(encoding="utf-8"))[0] for path in (ROOT / "crds").glob("*.yaml")))
        self.assertIn("invalid ownership metadata", self.refusal(cluster, IMAGE))
        Helm(cluster).install(IMAGE, take_ownership=True)
        self.assertEqual(cluster.get(self.name)["metadata"]["annotations"]["meta.helm.sh/release-name"], "sluice")

    def test_a_second_release_leaves_them_to_the_first(self):
        cluster = self.cluster()
        Helm(cluster).install(IMAGE)
        Helm(cluster, "internal", "infra").install(values("second"))
        self.assertEqual(cluster.get(self.name)["metadata"]["annotations"]["meta.helm.sh/release-name"], "sluice")
