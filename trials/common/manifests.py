"""Objects for a folder of manifests, as dictionaries, and the folder."""
import base64
import json
import os

GATEWAY_API = "gateway.networking.k8s.io"


class Folder:
    """A folder of manifests. Files are put in place by rename, as a careful user or a volume mount does."""

    def __init__(self, path, namespace):
        path.mkdir(parents=True)
        self.path = path
        self.namespace = namespace

    def put(self, name, *objects):
        draft = self.path / f".{name}.json"
        draft.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        os.rename(draft, self.path / f"{name}.json")

    def remove(self, name):
        (self.path / f"{name}.json").unlink()

    def object(self, version, kind, name, **fields):
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, **fields}

    def gateway(self, name, listeners, addresses=("127.0.0.1",), **spec):
        return self.object(f"{GATEWAY_API}/v1", "Gateway", name, spec={
            "gatewayClassName": "sluice", "listeners": listeners,
            "addresses": [{"type": "IPAddress", "value": address} for address in addresses], **spec})

    def route(self, gateway, listener, backends, name=None, hostnames=None):
        """A TLSRoute where it has host names, else a TCPRoute. `backends` is names of Services, or of them and weights."""
        weights = backends if isinstance(backends, dict) else dict.fromkeys(backends, 1)
        references = [{"name": backend, "port": 7000, "weight": weight} for backend, weight in weights.items()]
        spec = {"parentRefs": [{"name": gateway, "sectionName": listener}], "rules": [{"backendRefs": references}]}
        if hostnames:
            spec["hostnames"] = hostnames
        return self.object(f"{GATEWAY_API}/v1", "TLSRoute" if hostnames else "TCPRoute", name or listener, spec=spec)

    def service(self, name, *ports, address="127.0.0.1"):
        """A Service whose endpoints are ports of one address: a slice each."""
        service = self.object("v1", "Service", name, spec={"ports": [{"name": "main", "port": 7000}]})
        slices = [self.object("discovery.k8s.io/v1", "EndpointSlice", f"{name}-{port}", addressType="IPv4",
                              ports=[{"name": "main", "port": port}],
                              endpoints=[{"addresses": [address], "conditions": {"ready": True}}]) for port in ports]
        for slice in slices:
            slice["metadata"]["labels"] = {"kubernetes.io/service-name": name}
        return [service, *slices]

    def policy(self, kind, name, targets, **spec):
        """A ClientPolicy or BackendPolicy; targets are (kind, name) or (kind, name, section)."""
        references = [{"group": "" if target[0] == "Service" else GATEWAY_API, "kind": target[0], "name": target[1],
                       **({"sectionName": target[2]} if len(target) > 2 else {})} for target in targets]
        return self.object("sluice.dev/v1alpha1", kind, name, spec={"targetRefs": references, **spec})

    def tls_secret(self, name, pair):
        data = {"tls.crt": pair.certificate, "tls.key": pair.key}
        return self.object("v1", "Secret", name, type="kubernetes.io/tls", data={
            entry: base64.b64encode(path.read_bytes()).decode() for entry, path in data.items()})

    def authority(self, name, authority):
        return self.object("v1", "ConfigMap", name, data={"ca.crt": authority.certificate.read_text()})
