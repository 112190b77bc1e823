"""The cluster's network, in the network namespace of this process: a bridge, a namespace for each pod, and a virtual address."""

import subprocess

HOST = "10.0.0.1"
VIRTUAL = "10.96.0.10"
TABLE = """\
table ip proxy {
    chain output {
        type nat hook output priority -100;
    }
    chain refuse {
        type filter hook output priority 0;
    }
}
"""


def command(*words, text=None):
    done = subprocess.run(words, input=text, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


class Network:
    def __init__(self):
        self.pods = 0
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", "pods", "type", "bridge")
        command("ip", "address", "add", f"{HOST}/16", "dev", "pods")
        command("ip", "link", "set", "pods", "up")
        command("ip", "route", "add", f"{VIRTUAL}/32", "dev", "pods")
        command("nft", "-f", "-", text=TABLE)

    def join(self):
        """A namespace for a pod: the process that holds it, and the pod's address."""
        self.pods += 1
        address, link = f"10.0.1.{self.pods}", f"pod{self.pods}"
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
        holder.stdout.readline()
        command("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        command("ip", "link", "set", link, "master", "pods", "up")
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{address}/16", "dev", "eth0"], ["link", "set", "eth0", "up"]):
            command("nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip", *words)
        return holder, address

    def spread(self, port, addresses, target):
        """New connections to the virtual address go to one of these by chance, as kube-proxy has it; to nobody they are refused."""
        match = f"ip daddr {VIRTUAL} tcp dport {port}"
        places = ", ".join(f"{index} : {address}" for index, address in enumerate(addresses))
        to = f"add rule ip proxy output {match} dnat to numgen random mod {len(addresses)} map {{ {places} }}:{target}\n"
        no = f"add rule ip proxy refuse {match} reject with tcp reset\n"
        command("nft", "-f", "-", text="flush chain ip proxy output\nflush chain ip proxy refuse\n" + (to if addresses else no))
