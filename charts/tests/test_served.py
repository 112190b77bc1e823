"""What the chart installs serves: replicas run with the rendered flags, variables and rights, and `helm test` sends bytes through
a route, from the server in its pod over the API server's endpoints and a replica to the client in its pod."""

import json
import re
import socket
import subprocess
import threading
import unittest

from .cases import IMAGE, ROOT, binary, documents, values
from .cluster import Cluster, Helm, waited

ADDRESS = re.compile(r'"(probes|admin)":"([^"]+)"')


def free_range(count):
    """Ports for Services of Gateways that nothing else listens on now."""
    for first in range(21000, 29000, count):
        probes = []
        try:
            for port in range(first, first + count):
                probes.append(socket.create_server(("127.0.0.1", port)))
            return first, first + count - 1
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free range of ports")


class Process:
    """A container's process on this host, on free addresses."""

    def __init__(self, arguments, environment, replaced):
        named = [(arg.split("=")[0], arg) for arg in arguments]
        arguments = [f"{name}={replaced[name]}" if name in replaced else arg for name, arg in named]
        self.process = subprocess.Popen([binary(), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    def started(self):
        line = waited("the start", lambda: next((line for line in self.lines if '"started"' in line), None))
        return dict(ADDRESS.findall(line))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Installed(unittest.TestCase):
    """A release of the chart with one replica."""

    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.helm = Helm(self.cluster)
        self.first, self.last = free_range(20)

    def install(self, given):
        """The release, with one replica that runs with what it rendered."""
        release = self.helm.install(given | {"portRange": f"{self.first}-{self.last - 1}"})
        items = documents(release["manifest"])
        workload = next(item for item in items if item["kind"] in ("Deployment", "DaemonSet"))
        pod = workload["spec"]["template"]["spec"]
        kubeconfig = self.cluster.kubeconfig(pod["serviceAccountName"])
        environment = {"KUBECONFIG": kubeconfig, "SLUICE_POD_NAME": "sluice-0"}
        replica = self.run_process(pod["containers"][0]["args"], environment)
        probes = replica.started()["probes"]
        ask = ["curl", "-sf", f"http://{probes}/readyz"]
        waited("readiness", lambda: subprocess.run(ask, capture_output=True).returncode == 0)
        return replica

    def run_process(self, arguments, environment):
        process = Process(arguments, environment, {"--probe-address": "127.0.0.1:0", "--admin-address": "127.0.0.1:0"})
        self.addCleanup(process.close)
        return process

    def assert_rights_suffice(self, replica):
        self.assertEqual([line for line in replica.lines if "forbidden" in line.lower()], [])

    def definitions(self):
        return [documents(path.read_text(encoding="utf-8"))[0] for path in (ROOT / "crds").glob("*.yaml")]


class Served(Installed):
    def hook(self):
        """The pod that `helm test` has made, or None."""
        pods = self.cluster.list("/api/v1/namespaces/sluice-system/pods")
        return next((pod for pod in pods if pod["metadata"]["name"] == "sluice-test"), None)

    def play_pod(self, failures):
        """Runs the test's pod as the kubelet would: the server, then the client until it succeeds."""
        try:
            pod = waited("the test's pod", self.hook)
            manifests = self.cluster.path / "manifests"
            manifests.mkdir()
            config = self.cluster.get({"apiVersion": "v1", "kind": "ConfigMap", "metadata": pod["metadata"]})
            for name, text in config["data"].items():
                (manifests / name).write_text(text, encoding="utf-8")
            server = [arg.replace("/etc/sluice-test", str(manifests)) for arg in pod["spec"]["initContainers"][0]["args"]]
            port = int(self.run_process(server, {"SLUICE_LOG_FORMAT": "json"}).started()["admin"].rpartition(":")[2])
            running = {"namespace": "sluice-system", "name": "sluice-test", "ip": "127.0.0.1", "port": port}
            self.cluster.control("pods", json.dumps({**running, "labels": pod["metadata"]["labels"]}))
            client = pod["spec"]["containers"][0]["args"]
            host, _, listener = client[-1].removeprefix("--admin-address=").rpartition(":")
            # The Service that the client asks for is the one that the leader made.
            bound = waited("the Service", lambda: self.bound(host, int(listener)))
            answer = waited("an answer", lambda: self.ask([*client[:-1], f"--admin-address=127.0.0.1:{bound}"]))
            if "bytes-came-through-a-route" not in answer:
                failures.append(answer)
            self.cluster.patch_status({**pod, "apiVersion": "v1", "kind": "Pod"}, {"phase": "Succeeded"})
        except Exception as error:
            failures.append(repr(error))

    def ask(self, arguments):
        ended = subprocess.run([binary(), *arguments], env={}, capture_output=True, text=True, timeout=20)
        return ended.stdout if ended.returncode == 0 else None

    def bound(self, host, port):
        name, namespace, _ = host.split(".")
        service = self.cluster.get({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}})
        ports = [found["targetPort"] for found in (service or {"spec": {"ports": []}})["spec"]["ports"] if found["port"] == port]
        return ports[0] if ports else None

    def assert_test_passes(self):
        failures = []
        player = threading.Thread(target=self.play_pod, args=(failures,))
        player.start()
        try:
            self.helm.test()
        finally:
            player.join()
            self.assertEqual(failures, [])

    def test_bytes_come_through_a_route(self):
        replica = self.install(IMAGE)
        self.assert_test_passes()
        self.assert_rights_suffice(replica)

    def test_and_in_a_namespace_of_one_s_own(self):
        given = {"watchNamespaces": ["sluice-system"], "gatewayClass": {"create": False}, "crds": {"install": False}}
        for text in self.definitions():
            self.cluster.put(text)
        replica = self.install(IMAGE | given)
        self.assert_test_passes()
        self.assert_rights_suffice(replica)

    def test_and_on_the_host_with_secrets_by_name(self):
        given = IMAGE | {"exposure": "Host", "test": {"port": self.last}, "rbac": values("named-secrets")["rbac"]}
        replica = self.install(given)
        self.assert_test_passes()
        self.assert_rights_suffice(replica)
