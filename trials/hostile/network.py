"""A network namespace of the trial's own: no other program's ports, addresses by the thousand, and raw packets."""
import os
import subprocess
import sys

from ..common.bench import Failure

MARK = "SLUICE_TRIAL_NETWORK"
# Every address of it is local: 65,536 sources for one client.
MANY = "10.7."
_SET_UP = """
ip link set lo up
ip route add local 10.7.0.0/16 dev lo
ip link add silent type veth peer name void
ip link set silent arp off up
ip link set void arp off up
ip route add 203.0.113.0/24 dev silent
sysctl --quiet --write net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.lo.rp_filter=0
sysctl --quiet --write net.ipv4.ip_local_port_range="16384 60999" net.ipv4.tcp_tw_reuse=1
"""


def enter(module):
    """Starts this program again inside, unless it is there already."""
    if os.environ.get(MARK):
        return
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--user", "--map-root-user"]
    os.environ[MARK] = "1"
    os.execvp(alone[0], [*alone, "--", sys.executable, "-B", "-m", module, *sys.argv[1:]])


def prepare():
    """Once, inside."""
    run(_SET_UP)


def run(script):
    """Commands that change the namespace."""
    outcome = subprocess.run(["sh", "-e"], input=script, capture_output=True, text=True)
    if outcome.returncode:
        raise Failure(f"no network of its own: {outcome.stderr.strip()}")
