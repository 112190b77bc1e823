"""The controller of the Deployment and that of its endpoints, as far as a rolling update needs them."""

import asyncio


class Deployment:
    """`make(name, template)` starts a pod; `publish(addresses)` tells who may get connections, and is called when that changed for
    `delay` seconds: so long an EndpointSlice takes to reach the nodes."""

    def __init__(self, spec, make, publish, delay):
        self.spec, self.make, self.publish, self.delay = spec, make, publish, delay
        self.pods, self.ended, self.endings, self.count = [], [], [], 0
        self.watcher = asyncio.create_task(self._publish())

    def _start(self):
        self.count += 1
        pod = self.make(f"sluice-{self.count}", self.spec["template"])
        self.pods.append(pod)
        return pod

    async def _stop(self, pod):
        await pod.end()
        self.pods.remove(pod)
        self.ended.append(pod)

    async def _available(self, pods):
        while not all(pod.available(self.spec.get("minReadySeconds", 0)) for pod in pods):
            for pod in pods:
                if pod.has_ended:
                    raise RuntimeError(f"{pod.name} ended before it was available")
            await asyncio.sleep(0.05)

    async def begin(self):
        await self._available([self._start() for _ in range(self.spec["replicas"])])

    async def update(self, spec):
        """Every pod is replaced: so many new ones first, then an old one goes for each that is available."""
        strategy = spec["strategy"]["rollingUpdate"]
        surge, missing = strategy["maxSurge"], strategy["maxUnavailable"]
        self.spec, old, new = spec, list(self.pods), []
        for _ in range(missing):
            self._let_go(old.pop(0))
        while old or len(new) < spec["replicas"]:
            while len(new) < spec["replicas"] and len(new) + len(old) < spec["replicas"] + surge:
                new.append(self._start())
            await self._available(new)
            while old and len(new) + len(old) > spec["replicas"] - missing:
                self._let_go(old.pop(0))
        await asyncio.gather(*self.endings)

    def _let_go(self, pod):
        self.endings.append(asyncio.create_task(self._stop(pod)))

    async def _publish(self):
        """Ready pods that do not end; where there are none, those that end and are ready (KEP-1669)."""
        said = None
        while True:
            ready = [pod for pod in self.pods if pod.ready_since]
            found = [pod.address for pod in ready if not pod.is_terminating] or [pod.address for pod in ready]
            if found != said:
                said = found
                asyncio.get_running_loop().call_later(self.delay, self.publish, found)
            await asyncio.sleep(0.02)

    def destroy(self):
        self.watcher.cancel()
        for pod in list(self.pods):
            pod.destroy()
