"""Instances whose ports are limited: apart from the others, so that nothing else is measured with limits in force."""
import contextlib
import shutil
import signal
import socket
import time

from ..failure import Failure
from ..ports import free_port
from .nginx import MODULE
from .subject import Running, render

# Bytes a second of each connection, each way.
RATES = {"64k": 64 << 10, "1m": 1 << 20, "10m": 10 << 20, "100m": 100 << 20, "1g": 1 << 30}

# Ports for short connections, with a limit that none of them reaches and without.
CONNECTION_RATES = {"echo-limited": 1 << 30, "echo-free": None}


def _services():
    """(Name, backend, rate or None) of every port."""
    limited = [(name, "source", rate) for name, rate in RATES.items()]
    return limited + [(name, "echo", rate) for name, rate in CONNECTION_RATES.items()]


def _sluice(subject, folder, ports):
    manifests = folder / "manifests"
    manifests.mkdir()
    for name, backend, rate in _services():
        values = {"name": f"limited-{name}", "port": ports[name], "backend": backend}
        (manifests / f"{name}.yaml").write_text(render("limited/sluice.yaml", values))
        if rate:
            text = render("limited/policy.yaml", {"name": f"limited-{name}", "rate": rate, "burst": max(rate // 8, 1024)})
            (manifests / f"{name}-policy.yaml").write_text(text)
    for name in "source", "echo":
        text = render("sluice/service.yaml", {"name": name, "port": subject.scene.backends.ports[name]})
        (manifests / f"service-{name}.yaml").write_text(text)
    command = [*subject.scene.programs.with_libraries(subject.binary), "run", "--manifests", manifests, "--workers", "2",
               "--probe-address", f"127.0.0.1:{free_port()}", "--admin-address", f"127.0.0.1:{free_port()}",
               "--log-level", "warning"]
    return command, signal.SIGINT


def _nginx(subject, folder, ports):
    servers = ""
    for name, backend, rate in _services():
        limits = f" proxy_download_rate {rate}; proxy_upload_rate {rate};" if rate else ""
        buffer = "4k" if backend == "echo" else "16k" if rate <= 1 << 20 else "1m"
        servers += (f"    server {{ listen 127.0.0.1:{ports[name]} reuseport; proxy_buffer_size {buffer};{limits} "
                    f"proxy_pass 127.0.0.1:{subject.scene.backends.ports[backend]}; }}\n")
    module = subject.scene.programs.file(MODULE)
    configuration = folder / "nginx.conf"
    configuration.write_text(render("limited/nginx.conf", {
        "folder": folder, "servers": servers, "load-module": f"load_module {module};" if module.exists() else ""}))
    return [*subject.scene.programs.command("nginx"), "-p", folder, "-e", "stderr", "-c", configuration], signal.SIGTERM


_KINDS = {"nginx": _nginx}


def can_limit(subject):
    """Whether it limits the rate of TCP connections. (HAProxy does from 2.7 on, later than Debian 12's.)"""
    return subject.is_sluice or subject.name in _KINDS


@contextlib.contextmanager
def limited(subject):
    """A fresh instance with a port for each of RATES and CONNECTION_RATES, ended with the context."""
    folder = subject.folder / "limited"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    ports = {name: free_port() for name, _, _ in _services()}
    command, ended_by = _KINDS.get(subject.name, _sluice)(subject, folder, ports)
    started = subject.scene.processes.start(f"limited-{subject.name}", command, ended_by=ended_by)
    running = Running(subject, [started], ports, None)
    try:
        _wait(running)
        yield running
    finally:
        subject.scene.processes.end(started)


def _wait(running, patience=10):
    deadline = time.monotonic() + patience
    while not all(_listens(port) for port in running.ports.values()):
        running.check()
        if time.monotonic() > deadline:
            raise Failure(f"{running.name} does not listen after {patience} s:\n{running.log_end()}")
        time.sleep(0.02)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
