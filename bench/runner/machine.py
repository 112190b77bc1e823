"""What the figures depend on."""
import os
import pathlib
import platform
import resource
import subprocess

from .failure import Failure


# What a proxy needs for 9,000 connections and its pipes.
DESCRIPTORS = 20000


def describe(repository):
    return {
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": _field("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
        "openssl": _output("openssl", "version"),
        "compiler": _output("cc", "--version").split("\n")[0],
        "congestion_control": pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "commit": _output("git", "-C", str(repository), "describe", "--always", "--dirty"),
    }


def allow_descriptors():
    """As many descriptors as this process may have, for it and for everything that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < DESCRIPTORS:
        raise Failure(f"{DESCRIPTORS} descriptors are needed for each process, and {hard} allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def load_average():
    return os.getloadavg()[0]


def _field(path, name, separator=":"):
    for line in pathlib.Path(path).read_text().splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip()
    return "unknown"


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"
    except OSError:
        return "unknown"
