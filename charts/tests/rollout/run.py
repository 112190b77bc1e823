"""Plays a rolling update; to be run in user, network and mount namespaces of its own. Reads what to do from standard input."""

import asyncio
import json
import subprocess
import sys
import urllib.request

from .deployment import Deployment
from .load import Load, serve
from .network import HOST, VIRTUAL, Network
from .pod import Pod

BACKEND, API, PORT = 7000, 6443, 6379


def recorded_port(namespace):
    """Which port of the pods the leader recorded for the Gateway's, once it has."""
    url = f"http://{HOST}:{API}/api/v1/namespaces/{namespace}/services"
    with urllib.request.urlopen(url, timeout=5) as found:
        ports = [port for item in json.load(found)["items"] for port in item["spec"]["ports"] if port["port"] == PORT]
    return ports[0]["targetPort"] if ports else None


async def until(what, found, seconds=60):
    for _ in range(seconds * 20):
        if value := await asyncio.to_thread(found):
            return value
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{what}: not within {seconds} s")


async def play(task, log):
    network = Network()
    api = subprocess.Popen(
        [task["apiServer"], "--address", HOST, "--port", str(API), "--kubeconfig", "kubeconfig", "--manifests", task["manifests"]],
        stdout=subprocess.PIPE, stderr=log)
    server = await serve(HOST, BACKEND)
    deployment = None
    try:
        await asyncio.to_thread(api.stdout.readline)
        target = None

        def publish(addresses):
            if target:
                network.spread(PORT, addresses, target)

        def make(name, template):
            return Pod(name, template["spec"], network, task["binary"], "kubeconfig", log)

        deployment = Deployment(task["before"], make, publish, task["delay"])
        await deployment.begin()
        target = await until("the Gateway's Service", lambda: recorded_port(task["namespace"]))
        publish([pod.address for pod in deployment.pods])
        load = Load(VIRTUAL, PORT, task["rate"])
        await until("connections", lambda: load.outcomes["short: ok"] > task["rate"])
        load.outcomes.clear()
        for _ in range(task["sessions"]):
            load.begin(kind="session", times=task["messages"], pause=0.5)
        await deployment.update(task["after"])
        return {"outcomes": await load.end(), "killed": [pod.name for pod in deployment.ended if pod.was_killed],
                "exits": [pod.process.returncode for pod in deployment.ended], "pods": deployment.count}
    finally:
        if deployment:
            deployment.destroy()
        server.close()
        api.kill()
        api.wait()


if __name__ == "__main__":
    with open("log", "ab") as log:
        print(json.dumps(asyncio.run(play(json.load(sys.stdin), log))))
