"""The narrowest installation that docs/security.md shows: its rights suffice, and its token opens little else."""

import base64
import ssl
import subprocess
import urllib.error
import urllib.request

from . import test_served
from .cases import IMAGE, ROOT, documents
from .cluster import waited


def values_of_the_page():
    """The values as the page has them."""
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    fences = [part.partition("\n```")[0] for part in text.split("```yaml fragment\n")[1:]]
    return documents(next(fence for fence in fences if "watchNamespaces" in fence))[0]


def manifests(certificate, backend):
    """A listener that terminates TLS with the Secret that may be read, one with another, and a route of both."""
    def secret(name):
        encoded = {key: base64.b64encode(path.read_bytes()).decode() for key, path in certificate.items()}
        return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": {"name": name, "namespace": "shop"}, "data": encoded}

    def listener(name, port):
        return {"name": name, "protocol": "TLS", "port": port, "tls": {"certificateRefs": [{"name": name}]}}

    api = "gateway.networking.k8s.io/v1"
    return [
        secret("tls"), secret("other"),
        {"apiVersion": api, "kind": "Gateway", "metadata": {"name": "edge", "namespace": "shop"},
         "spec": {"gatewayClassName": "sluice", "listeners": [listener("tls", 443), listener("other", 444)]}},
        {"apiVersion": api, "kind": "TLSRoute", "metadata": {"name": "app", "namespace": "shop"},
         "spec": {"parentRefs": [{"name": "edge"}], "hostnames": ["app.example.com"],
                  "rules": [{"backendRefs": [{"name": "app", "port": 80}]}]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app", "namespace": "shop"},
         "spec": {"ports": [{"port": 80, "protocol": "TCP"}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "app-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "app"}},
         "ports": [{"port": backend, "protocol": "TCP"}], "endpoints": [{"addresses": ["127.0.0.1"]}]},
    ]


class Narrow(test_served.Installed):
    def serve(self):
        """The installation of the page, which serves; returns the replica and the port of its listener."""
        for text in self.definitions():
            self.cluster.put(text)
        certificate = {"tls.crt": self.cluster.path / "crt.pem", "tls.key": self.cluster.path / "key.pem"}
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=app", "-addext", "subjectAltName=DNS:app.example.com", "-keyout", certificate["tls.key"], "-out",
             certificate["tls.crt"]], check=True, capture_output=True)
        echo = self.run_process(["echo", "--port=0"], {})
        self.cluster.put(*manifests(certificate, self.echo_port(echo)))
        replica = self.install(IMAGE | values_of_the_page())
        service = waited("the Service", lambda: next(iter(self.services()), None))
        ports = {port["port"]: port["targetPort"] for port in service["spec"]["ports"]}
        return replica, ports[443], certificate["tls.crt"]

    def echo_port(self, echo):
        return waited("the echo server", lambda: next(
            (int(line.split()[-1]) for line in echo.lines if " listens on port " in line), None))

    def services(self):
        found = self.cluster.list("/api/v1/namespaces/sluice-system/services")
        return [service for service in found if "sluice.dev/gateway-uid" in service["metadata"].get("labels", {})]

    def shaken(self, port, authority):
        """What a client that trusts only this certificate gets back; None while nothing is served."""
        context = ssl.create_default_context(cafile=authority)
        try:
            with test_served.socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname="app.example.com") as client:
                    client.sendall(b"narrow\n")
                    return client.recv(100)
        except OSError:
            return None

    def test_the_narrowest_rights_suffice(self):
        replica, port, authority = self.serve()
        waited("an answer", lambda: self.shaken(port, authority))
        gateway = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                   "metadata": {"name": "edge", "namespace": "shop"}}
        told = waited("the status", lambda: (self.cluster.get(gateway).get("status") or {}).get("listeners"))
        resolved = {listener["name"]: next(condition for condition in listener["conditions"]
                                           if condition["type"] == "ResolvedRefs") for listener in told}
        self.assertEqual(resolved["tls"]["status"], "True")
        # The one request that is refused is for the Secret that may not be read, and its listener says so.
        self.assertEqual(resolved["other"]["status"], "False")
        self.assertIn("the right to list and watch it in namespace shop is missing", resolved["other"]["message"])
        refused = [line for line in replica.lines if "forbidden" in line.lower()]
        self.assertEqual([line for line in refused if "other" not in line], [])

    def test_a_stolen_token_opens_little_else(self):
        self.serve()
        shop, own = "/api/v1/namespaces/shop", "/api/v1/namespaces/sluice-system"
        routes = "/apis/gateway.networking.k8s.io/v1/namespaces/shop"
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        for method, path in [("GET", f"{shop}/secrets/tls"), ("GET", f"{routes}/gateways"), ("GET", f"{shop}/services")]:
            self.assertEqual(self.asked(method, path), 200, path)
        for method, path in [
            ("GET", "/api/v1/secrets"), ("GET", f"{shop}/secrets"), ("GET", f"{shop}/secrets/other"), ("GET", f"{own}/secrets"),
            ("GET", "/api/v1/namespaces/bank/secrets/tls"), ("GET", f"{own}/secrets/other"), ("GET", f"{shop}/configmaps"),
            ("GET", "/api/v1/namespaces"), ("GET", "/api/v1/nodes"), ("GET", "/api/v1/services"), ("GET", f"{shop}/pods"),
            ("GET", "/apis/gateway.networking.k8s.io/v1/gateways"), ("PUT", f"{routes}/gateways/edge"),
            ("PATCH", f"{routes}/gateways/edge"), ("PATCH", f"{routes}/tlsroutes/app"), ("DELETE", f"{routes}/tlsroutes/app"),
            ("POST", f"{routes}/tlsroutes"), ("POST", f"{shop}/secrets"), ("PATCH", f"{shop}/services/app"),
            ("DELETE", f"{shop}/services/app"), ("POST", f"{own}/pods"), ("POST", f"{shop}/pods"),
            ("POST", f"{rbac}/namespaces/sluice-system/rolebindings"), ("POST", f"{rbac}/clusterrolebindings"),
            ("PATCH", f"{rbac}/namespaces/sluice-system/roles/sluice"), ("POST", "/apis/apps/v1/namespaces/shop/deployments"),
        ]:
            self.assertEqual(self.asked(method, path), 403, f"{method} {path}")

    def asked(self, method, path):
        """The status of a request with the replica's token."""
        body = {"POST": b"{}", "PUT": b"{}", "PATCH": b'{"spec": {}}'}.get(method)
        request = urllib.request.Request(self.cluster.url + path, method=method, data=body)
        request.add_header("Authorization", "Bearer token-sluice")
        request.add_header("Content-Type", "application/merge-patch+json" if method == "PATCH" else "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
