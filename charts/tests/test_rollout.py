"""A rolling update of what the chart renders, under traffic: no attempt to connect is lost. Takes a minute and a half: pods take their
real time to be ready, to stay so, and to end."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

from .cases import IMAGE, TESTS, binary
from .support import Rendering

ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: sluice
  listeners: [{name: redis, protocol: TCP, port: 6379}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: redis, namespace: default}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{group: sluice.dev, kind: Backend, name: redis}]}]
---
apiVersion: sluice.dev/v1alpha1
kind: Backend
metadata: {name: redis, namespace: default}
spec: {endpoints: [{ip: {address: 10.0.0.1, port: 7000}}]}
"""
RATE = 200


def api_server():
    path = os.environ.get("SLUICE_TEST_API_SERVER")
    if not path:
        raise AssertionError("SLUICE_TEST_API_SERVER must name the test API server: swift build --product sluice-test-apiserver")
    return path


class Rollout(unittest.TestCase):
    def played(self, values, delay, **more):
        """What was seen of a rolling update to other annotations of the pods; `delay`: of the news of endpoints, in seconds."""
        before = Rendering({**IMAGE, **values})
        after = Rendering({**IMAGE, **values, "podAnnotations": {"version": "2"}}, is_install=False)
        self.assertNotEqual(before.workload["spec"]["template"], after.workload["spec"]["template"])
        with tempfile.TemporaryDirectory() as folder:
            manifests = Path(folder, "manifests.yaml")
            lasting = [found for found in before.objects if "helm.sh/hook" not in found["metadata"].get("annotations", {})]
            manifests.write_text(yaml.safe_dump_all(lasting) + "---\n" + ROUTE, encoding="utf-8")
            task = {
                "before": before.workload["spec"], "after": after.workload["spec"], "manifests": str(manifests), "rate": RATE,
                "namespace": "sluice-system", "delay": delay, "binary": binary(), "apiServer": api_server(), **more,
            }
            own = ["unshare", "--net", "--mount"] + (["--user", "--map-root-user"] if os.geteuid() else [])
            found = subprocess.run(
                [*own, sys.executable, "-B", "-m", "tests.rollout.run"], cwd=folder, input=json.dumps(task), text=True,
                capture_output=True, timeout=300, env={**os.environ, "PYTHONPATH": str(TESTS.parent)})
            log = Path(folder, "log").read_text(encoding="utf-8", errors="replace") if Path(folder, "log").exists() else ""
            self.assertEqual(found.returncode, 0, f"{found.stderr}\n{log[-4000:]}")
            return json.loads(found.stdout)

    def test_the_defaults_lose_no_connection(self):
        # Nodes that learn of an endpoint after 3 seconds, which is late. Sessions of 20 s begin just before the update.
        found = self.played({}, delay=3, sessions=20, messages=40)
        print(f"\nrollout: {found}", file=sys.stderr)
        self.assertEqual(set(found["outcomes"]), {"short: ok", "session: ok"})
        self.assertEqual(found["outcomes"]["session: ok"], 20)
        self.assertGreater(found["outcomes"]["short: ok"], 20 * RATE)
        self.assertEqual((found["pods"], found["killed"], found["exits"]), (4, [], [0, 0]))

    def test_a_pod_that_ends_before_its_endpoints_are_known_loses_some(self):
        """The test above can fail: without the accept grace it would."""
        found = self.played({"shutdown": {"acceptGraceSeconds": 0}, "minReadySeconds": 1}, delay=3, sessions=0, messages=0)
        self.assertGreater(found["outcomes"].get("short: ConnectionRefusedError", 0), 0, found)


if __name__ == "__main__":
    unittest.main()
