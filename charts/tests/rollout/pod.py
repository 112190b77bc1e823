"""A pod as its kubelet runs it. Names and rules: Kubernetes' documentation of the pod's lifecycle and of probes."""

import asyncio
import signal
import subprocess
import time


async def answer(address, port, path, timeout):
    """The status of a GET, or None."""
    async def ask():
        reader, writer = await asyncio.open_connection(address, port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
            return int((await reader.readline()).split()[1])
        finally:
            writer.close()
    try:
        return await asyncio.wait_for(ask(), timeout)
    except (OSError, asyncio.TimeoutError, IndexError, ValueError):
        return None


class Pod:
    def __init__(self, name, spec, network, binary, kubeconfig, log):
        self.name, self.spec, self.container = name, spec, spec["containers"][0]
        self.holder, self.address = network.join()
        self.ready_since, self.is_terminating, self.was_killed = None, False, False
        fields = {"metadata.name": name, "spec.nodeName": "node-0"}
        environment = {"PATH": "/usr/bin:/bin", "KUBECONFIG": kubeconfig}
        for variable in self.container["env"]:
            environment[variable["name"]] = variable.get("value") or fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--", binary, *self.container["args"]],
            env=environment, stdout=log, stderr=log)
        self.prober = asyncio.create_task(self._probe())

    @property
    def has_ended(self):
        return self.process.poll() is not None

    def available(self, seconds):
        return self.ready_since is not None and time.monotonic() - self.ready_since >= seconds

    async def _probe(self):
        probe = self.container["readinessProbe"]
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        port, path = ports[probe["httpGet"]["port"]], probe["httpGet"]["path"]
        await asyncio.sleep(probe.get("initialDelaySeconds", 0))
        failures = 0
        while not self.has_ended:
            status = await answer(self.address, port, path, probe.get("timeoutSeconds", 1))
            if status is not None and 200 <= status < 400:
                failures = 0
                self.ready_since = self.ready_since or time.monotonic()
            else:
                failures += 1
                if failures >= probe.get("failureThreshold", 3):
                    self.ready_since = None
            await asyncio.sleep(probe.get("periodSeconds", 10))
        self.ready_since = None

    async def end(self):
        """As when the pod is deleted: preStop, SIGTERM, and SIGKILL when its time is over."""
        self.is_terminating = True
        deadline = time.monotonic() + self.spec["terminationGracePeriodSeconds"]
        await asyncio.sleep(self.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0))
        self.process.send_signal(signal.SIGTERM)
        while not self.has_ended and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        self.was_killed = not self.has_ended
        self.destroy()

    def destroy(self):
        self.prober.cancel()
        for process in (self.process, self.holder):
            process.kill()
            process.wait()
