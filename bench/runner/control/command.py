"""Flags, and the order of a run."""
import argparse
import collections
import datetime
import pathlib
import shutil
import tempfile
import time

from .. import load as load_generator
from ..failure import Failure
from ..machine import describe
from ..processes import Processes
from . import measure, objects
from .cluster import Cluster
from .gateway import Gateway, dump, memory_kib

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
TOKEN = "bench"
# After a start, before the rest is watched: what a start leaves to be done is over by then.
SETTLE_S = 10

Server = collections.namedtuple("Server", "url started")


def main(arguments=None):
    options = _parse(arguments)
    size = objects.Size(options.gateways, options.tcp_routes, options.tls_routes)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-control-"))
    try:
        with Processes(folder) as processes:
            results = _run(options, size, folder, processes)
    except Failure as failure:
        print(f"bench-control: {failure}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(results, REPOSITORY / ".build/bench")
    return 0


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/control", description="Measures the control plane against a test API server.")
    built = REPOSITORY / ".build/release"
    parser.add_argument("--sluice", type=pathlib.Path, default=built / "sluice")
    parser.add_argument("--api-server", type=pathlib.Path, default=built / "sluice-test-apiserver")
    parser.add_argument("--gateways", type=int, default=100)
    parser.add_argument("--tcp-routes", type=int, default=500)
    parser.add_argument("--tls-routes", type=int, default=4500)
    parser.add_argument("--changes", type=int, default=200, help="of each kind")
    parser.add_argument("--rest", type=float, default=60, help="seconds of quiet that are watched")
    return parser.parse_args(arguments)


def _run(options, size, folder, processes):
    load = load_generator.Load(load_generator.build(REPOSITORY / ".build/bench"), processes)
    _, port_a = load.serve("greet-a", "greet", "--name", "a")
    _, port_b = load.serve("greet-b", "greet", "--name", "b")
    cluster = Cluster(start_api_server(options, processes).url, TOKEN)
    for definition in sorted((REPOSITORY / "crds").glob("*.yaml")):
        cluster.apply_yaml(definition)
    cluster.create_all(objects.surroundings(), connections=1)
    cluster.create_all(objects.all_objects(size, port_a))

    first = Gateway(processes, options.sluice, cluster, TOKEN, folder)
    results = {"size": {**vars(size), "services": size.services, "slices": size.slices}}
    results["first_start"] = {"ready_s": first.wait_ready(), "statuses_s": measure.wait_for_statuses(first, cluster, size)}
    processes.end(first.started)

    gateway = Gateway(processes, options.sluice, cluster, TOKEN, folder)
    results["restart"] = {"ready_s": gateway.wait_ready(), "memory_kib": memory_kib(gateway.started.pid)}
    port = measure.bound_port(cluster, "gateway-0", objects.FIRST_TCP_PORT)
    time.sleep(SETTLE_S)
    results["rest"] = measure.rest(gateway.started.pid, options.rest)

    ports = {"a": port_a, "b": port_b}
    slices = "/apis/discovery.k8s.io/v1/namespaces/bench/endpointslices"

    def move_endpoints(answer, route=0):
        # Both parts of the Service: the second is emptied first, so that one request decides.
        body = {"ports": [{"name": "main", "port": ports[answer], "protocol": "TCP"}]}
        cluster.merge(f"{slices}/{objects.slice_name(route, 0)}", body)

    for route in (0, 1):
        cluster.merge(f"{slices}/{objects.slice_name(route, 1)}", {"endpoints": []})
    cluster.merge(f"{slices}/{objects.slice_name(1, 0)}", {"ports": [{"name": "main", "port": port_b, "protocol": "TCP"}]})
    results["endpointslice"] = measure.summary(measure.change_times(options.changes, port, move_endpoints))
    move_endpoints("a")

    def move_route(answer):
        rules = objects.route_object(size, 0, 0 if answer == "a" else 1)["spec"]["rules"]
        cluster.merge(f"/apis/{objects.GATEWAY_API}/namespaces/bench/tcproutes/route-0", {"spec": {"rules": rules}})

    results["tcproute"] = measure.summary(measure.change_times(options.changes, port, move_route))
    results["after"] = {"memory_kib": memory_kib(gateway.started.pid)}
    results["machine"] = describe(REPOSITORY)
    return results


def start_api_server(options, processes):
    """Where it listens, and the program."""
    command = [options.api_server, "--token", TOKEN, "--allow-loopback-endpoints"]
    started = processes.start("api-server", command, talks=True)
    line = started.process.stdout.readline()
    if not line.startswith("listening on "):
        raise Failure(f"the test API server does not start: {line}")
    return Server(line.removeprefix("listening on ").strip(), started)


def _report(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"control-{datetime.date.today():%Y-%m-%d}.json"
    path.write_text(dump(results))
    mib = lambda kib: f"{kib / 1024:.0f} MiB"  # noqa: E731
    rows = [
        ("ready, first start", f"{results['first_start']['ready_s']:.2f} s"),
        ("every status written after that", f"{results['first_start']['statuses_s']:.1f} s"),
        ("ready, restart", f"{results['restart']['ready_s']:.2f} s"),
        ("resident memory at rest (peak)",
         f"{mib(results['rest']['memory_kib']['now'])} ({mib(results['rest']['memory_kib']['peak'])})"),
        ("resident memory after the changes", mib(results["after"]["memory_kib"]["now"])),
        ("processor at rest", f"{results['rest']['cpu_percent']:.2f} % of one core"),
    ]
    for name, text in (("endpointslice", "EndpointSlice"), ("tcproute", "TCPRoute")):
        each = results[name]
        rows.append((
            f"changed {text} to traffic",
            f"p50 {each['p50_ms']:.1f} ms, p99 {each['p99_ms']:.1f} ms of {each['count']} "
            f"(of it the request itself {each['request_p50_ms']:.1f} ms)"))
    size = results["size"]
    print(f"{size['gateways']} Gateways, {size['tcp_routes']} TCPRoutes, {size['tls_routes']} TLSRoutes, "
          f"{size['services']} Services, {size['slices']} EndpointSlices\n")
    print("| what | figure |\n| --- | --- |")
    for row in rows:
        print(f"| {row[0]} | {row[1]} |")
    print(f"\nas JSON: {path}")
