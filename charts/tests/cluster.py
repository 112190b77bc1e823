"""The test API server as a process, Helm's library against it, and what a real cluster would run: Jobs and Pods of hooks."""

import asyncio
import json
import os
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import helm_sdkpy
import yaml

from .cases import CHART, ROOT, binary

SERVER = Path(os.environ.get("SLUICE_TEST_API_SERVER", ROOT / ".build/debug/sluice-test-apiserver"))
PLURALS = {"NetworkPolicy": "networkpolicies", "GatewayClass": "gatewayclasses", "GatewayParameters": "gatewayparameters"}
MONITORS = ["PodMonitor", "ServiceMonitor", "PrometheusRule"]


def definition(group, kind):
    plural = f"{kind.lower()}s"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": [version]}}


def waited(what, find, seconds=60):
    end = time.monotonic() + seconds
    while True:
        if found := find():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Cluster:
    """A cluster of one API server. Who sends no token is an administrator, as Helm is here; a service account has the rights
    bound to it."""

    def __init__(self, has_operator=True):
        if not SERVER.exists():
            raise unittest.TestCase.failureException(f"{SERVER} is not built: swift build --product sluice-test-apiserver")
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        command = [SERVER, "--port", "0", "--kubeconfig", self.path / "admin"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.put({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.apps"}})
        for kind in MONITORS if has_operator else []:
            self.put(definition("monitoring.coreos.com", kind))
        for namespace in ("sluice-system", "shop", "bank", "monitoring", "infra"):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def request(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else body.encode())
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def control(self, command, body=""):
        return self.request("POST", f"/_control/{command}", body, "application/yaml")

    def put(self, *items):
        self.control("objects", yaml.safe_dump_all(items))

    def path_of(self, item):
        plural = PLURALS.get(item["kind"], item["kind"].lower() + ("es" if item["kind"].endswith("s") else "s"))
        plural = plural[:-1] + "ies" if plural.endswith("policys") else plural.replace("policys", "policies")
        namespace = item["metadata"].get("namespace")
        root = f"/apis/{item['apiVersion']}" if "/" in item["apiVersion"] else f"/api/{item['apiVersion']}"
        return f"{root}/{f'namespaces/{namespace}/' if namespace else ''}{plural}/{item['metadata']['name']}"

    def get(self, item):
        """An object as it is stored, by one that has its kind and name; None where there is none."""
        try:
            return json.loads(self.request("GET", self.path_of(item)))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def list(self, path):
        return json.loads(self.request("GET", path))["items"]

    def patch_status(self, item, status):
        self.request("PATCH", f"{self.path_of(item)}/status", json.dumps({"status": status}), "application/merge-patch+json")

    def kubeconfig(self, account):
        """For a service account, with the rights that are bound to it now and later."""
        token = f"token-{account}"
        self.control("tokens", yaml.safe_dump({"": "admin", token: f"system:serviceaccount:sluice-system:{account}"}))
        path = self.path / account
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "a", "users": [{"name": "a", "user": {"token": token}}],
            "clusters": [{"name": "a", "cluster": {"server": self.url}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        }), encoding="utf-8")
        return str(path)


class Helm:
    """Helm's actions for one release."""

    def __init__(self, cluster, release="sluice", namespace="sluice-system"):
        self.release = release
        self.configuration = helm_sdkpy.Configuration(namespace=namespace, kubeconfig=str(cluster.path / "admin"))

    def install(self, values, chart=CHART, **options):
        action = helm_sdkpy.Install(self.configuration).run(self.release, str(chart), values, wait=False, timeout=60,
                                                            server_side_apply=True, **options)
        return asyncio.run(action)

    def upgrade(self, values, chart=CHART, **options):
        action = helm_sdkpy.Upgrade(self.configuration)
        return asyncio.run(action.run(self.release, str(chart), values, wait=False, timeout=60, **options))

    def uninstall(self):
        return asyncio.run(helm_sdkpy.Uninstall(self.configuration).run(self.release, wait=False, timeout=60))

    def history(self):
        return asyncio.run(helm_sdkpy.History(self.configuration).run(self.release))

    def test(self):
        return asyncio.run(helm_sdkpy.ReleaseTest(self.configuration).run(self.release))


class JobRunner:
    """Runs `sluice` for Jobs as the kubelet would, with the rights of their account, and says in their status how it went."""

    def __init__(self, cluster):
        self.cluster, self.ran, self.ends = cluster, [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()

    def run(self):
        while not self.ends.wait(0.1):
            for job in self.cluster.list("/apis/batch/v1/jobs"):
                if not job.get("status", {}).get("conditions"):
                    self.finish({**job, "apiVersion": "batch/v1", "kind": "Job"})

    def finish(self, job):
        pod = job["spec"]["template"]["spec"]
        environment = {"KUBECONFIG": self.cluster.kubeconfig(pod["serviceAccountName"])}
        command = [binary(), *pod["containers"][0]["args"]]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.ran.append((ended.returncode, ended.stdout + ended.stderr))
        condition = {"type": "Failed" if ended.returncode else "Complete", "status": "True"}
        self.cluster.patch_status(job, {"conditions": [condition], "succeeded": 0 if ended.returncode else 1})
