"""The cluster that is measured: Gateways, routes, Services and their EndpointSlices."""
import dataclasses

GATEWAY_API = "gateway.networking.k8s.io/v1"
CLASS = "sluice"
CONTROLLER = "sluice.dev/gateway-controller"
TLS_PORT = 443
FIRST_TCP_PORT = 5000


@dataclasses.dataclass(frozen=True)
class Size:
    """How many there are of each. Every TCPRoute has a port of its own; TLSRoutes share one port of their Gateway."""

    gateways: int = 100
    tcp_routes: int = 500
    tls_routes: int = 4500

    @property
    def services(self):
        return self.tcp_routes + self.tls_routes

    @property
    def slices(self):
        return 2 * self.services

    def gateway_of(self, route):
        return route % self.gateways


def surroundings():
    """What has to be there before the rest, with the collection it is created in."""
    yield "/apis/gateway.networking.k8s.io/v1/gatewayclasses", gateway_class()
    for namespace in ("sluice-system", "bench"):
        yield "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}


def all_objects(size, backend_port):
    """Every other object, in any order."""
    for route in range(size.services):
        yield "/api/v1/namespaces/bench/services", service(route)
        for part in range(2):
            path = "/apis/discovery.k8s.io/v1/namespaces/bench/endpointslices"
            yield path, endpoint_slice(route, part, backend_port)
    for index in range(size.gateways):
        yield f"/apis/{GATEWAY_API}/namespaces/bench/gateways", gateway(size, index)
    for route in range(size.services):
        kind = "tcproutes" if route < size.tcp_routes else "tlsroutes"
        yield f"/apis/{GATEWAY_API}/namespaces/bench/{kind}", route_object(size, route, route)


def gateway_class():
    return {
        "apiVersion": GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": CLASS},
        "spec": {"controllerName": CONTROLLER},
    }


def gateway(size, index):
    own = [route for route in range(size.tcp_routes) if size.gateway_of(route) == index]
    listeners = [
        {"name": f"tcp-{route}", "port": FIRST_TCP_PORT + route, "protocol": "TCP"} for route in own
    ] + [{"name": "tls", "port": TLS_PORT, "protocol": "TLS", "tls": {"mode": "Passthrough"}}]
    return {
        "apiVersion": GATEWAY_API, "kind": "Gateway",
        "metadata": {"name": f"gateway-{index}", "namespace": "bench"},
        "spec": {"gatewayClassName": CLASS, "listeners": listeners},
    }


def route_object(size, route, backend):
    """A route of the given number, to the Service of the number `backend`."""
    is_tcp = route < size.tcp_routes
    parent = {"name": f"gateway-{size.gateway_of(route)}", "sectionName": f"tcp-{route}" if is_tcp else "tls"}
    spec = {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": f"service-{backend}", "port": 80}]}]}
    if not is_tcp:
        spec["hostnames"] = [f"host-{route}.bench.example"]
    return {
        "apiVersion": GATEWAY_API, "kind": "TCPRoute" if is_tcp else "TLSRoute",
        "metadata": {"name": f"route-{route}", "namespace": "bench"}, "spec": spec,
    }


def service(route):
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": f"service-{route}", "namespace": "bench"},
        "spec": {"ports": [{"name": "main", "port": 80, "protocol": "TCP"}]},
    }


def endpoint_slice(route, part, port):
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "name": slice_name(route, part), "namespace": "bench",
            "labels": {"kubernetes.io/service-name": f"service-{route}"},
        },
        "addressType": "IPv4", "ports": [{"name": "main", "port": port, "protocol": "TCP"}],
        "endpoints": [{
            "addresses": [f"127.0.0.{part + 1}"], "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": "node-1", "zone": "zone-a",
            "targetRef": {"kind": "Pod", "namespace": "bench", "name": f"pod-{route}-{part}"},
        }],
    }


def slice_name(route, part):
    return f"service-{route}-{part}"
