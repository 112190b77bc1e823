"""The cache on disk: its size, what writing it takes, what memory it costs, and how soon a start without an API server serves."""
import argparse
import base64
import pathlib
import shutil
import tempfile
import time

from ..failure import Failure
from ..processes import Processes
from . import objects
from .cluster import Cluster
from .command import REPOSITORY, TOKEN, start_api_server
from .gateway import Gateway, memory_kib

SETTLE_S = 30


def main(arguments=None):
    built = REPOSITORY / ".build/release"
    parser = argparse.ArgumentParser(prog="bench/cache", description="Measures the cache on disk.")
    parser.add_argument("--sluice", type=pathlib.Path, default=built / "sluice")
    parser.add_argument("--api-server", type=pathlib.Path, default=built / "sluice-test-apiserver")
    parser.add_argument("--gateways", type=int, default=100)
    parser.add_argument("--tcp-routes", type=int, default=500)
    parser.add_argument("--tls-routes", type=int, default=4500)
    options = parser.parse_args(arguments)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-cache-"))
    try:
        with Processes(folder) as processes:
            for name, text in _run(options, folder, processes):
                print(f"{name:48} {text}")
    except Failure as failure:
        print(f"bench/cache: {failure}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(options, folder, processes):
    size = objects.Size(options.gateways, options.tcp_routes, options.tls_routes)
    server = start_api_server(options, processes)
    cluster = Cluster(server.url, TOKEN)
    for definition in sorted((REPOSITORY / "crds").glob("*.yaml")):
        cluster.apply_yaml(definition)
    cluster.create_all(objects.surroundings(), connections=1)
    cluster.create_all(objects.all_objects(size, 9))
    keys = folder / "keys"
    keys.write_bytes(base64.b64encode(bytes(range(32))))
    cached = ["--cache-directory", folder / "cache", "--cache-key-file", keys]

    def start(flags, is_quiet):
        gateway = Gateway(processes, options.sluice, cluster, TOKEN, folder, flags)
        ready = gateway.wait_ready()
        # Until statuses, Services and their echoes are through, and the cache is written.
        time.sleep(SETTLE_S if is_quiet else 0)
        return gateway, ready

    first, ready = start([], True)
    yield "routes, Services, EndpointSlices", f"{size.services}, {size.services}, {size.slices}"
    yield "ready, without a cache", f"{ready:.2f} s"
    plain = memory_kib(first.started.pid)["now"]
    processes.end(first.started)

    second, ready = start(cached, True)
    yield "ready, with a cache to write", f"{ready:.2f} s"
    memory = memory_kib(second.started.pid)
    yield "resident memory without and with it (peak)", f"{plain // 1024}, {memory['now'] // 1024} MiB ({memory['peak'] // 1024})"
    count = second.metric("sluice_cache_write_duration_seconds_count")
    total = second.metric("sluice_cache_write_duration_seconds_sum")
    yield "size of the file", f"{second.metric('sluice_cache_size_bytes') / 1e6:.1f} MB"
    yield f"to make it and have it on the disk, of {count:.0f}", f"{total / count * 1e3:.0f} ms"
    processes.end(second.started)
    processes.end(server.started)

    third, ready = start(cached, False)
    yield "ready, from the cache, the API server away", f"{ready:.2f} s, 3 s of them waiting for the server"
    if third.metric("sluice_cache_serving") != 1:
        raise Failure("the cache does not serve")
    processes.end(third.started)
