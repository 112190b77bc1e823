"""Envoy: a filter chain and a cluster for each name, from files that are watched. JSON: Envoy reads it faster than YAML."""
import json

from ..envoy import binary
from ..subject import render
from .named import NamedSubject, drafted, host_name

TYPE = "type.googleapis.com/envoy"


class NamedEnvoy(NamedSubject):
    def __init__(self, subject):
        super().__init__(subject)
        self.ways = {"": self._by_file}

    def write(self, named):
        named.targets = {index: f"c{index}" for index in range(named.count)}
        clusters = {f"c{index}": self.backends["echo"] for index in range(named.count)}
        clusters |= {name: self.backends[name] for name in ("greet-a", "greet-b")}
        _draft(named.folder / "cds.json", [_cluster(*each) for each in clusters.items()])()
        self._draft_listener(named)()
        (named.folder / "envoy.yaml").write_text(render("names/envoy.yaml", {"folder": named.folder}))
        return [binary(), "-c", named.folder / "envoy.yaml", "--concurrency", "2", "--disable-hot-restart",
                "--log-level", "warning"]

    def _draft_listener(self, named):
        return _draft(named.folder / "lds.json", [{
            "@type": f"{TYPE}.config.listener.v3.Listener",
            "name": "names",
            "address": _address(named.port),
            "listener_filters": [{
                "name": "tls_inspector",
                "typed_config": {"@type": f"{TYPE}.extensions.filters.listener.tls_inspector.v3.TlsInspector"},
            }],
            "filter_chains": [_chain(index, target) for index, target in named.targets.items()],
        }])

    def _by_file(self, named, index, backend):
        named.targets[index] = backend
        return self._draft_listener(named)


def _draft(path, resources):
    return drafted(path, json.dumps({"resources": resources}))


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name, port):
    return {
        "@type": f"{TYPE}.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _chain(index, cluster):
    return {
        "name": host_name(index),
        "filter_chain_match": {"server_names": [host_name(index)]},
        "filters": [{
            "name": "tcp_proxy",
            "typed_config": {
                "@type": f"{TYPE}.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "names", "cluster": cluster,
            },
        }],
    }
