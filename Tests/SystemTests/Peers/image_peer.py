"""Runs sluice in the root file system of an image, read-only, as user 15480 without any right, and speaks through it.

    image_peer.py ROOT [OPENSSL]

Needs namespaces of its own for network and mounts. OPENSSL is the version that it must run with, such as 3.5. Prints a line for each
thing that was seen; what is not as it should be is an exception."""

import http.server
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from sidecar_peer import ROOT, USER, certificates, secured, serve_names, trusting, wait

MORE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: sluice
  listeners: [{name: tls, protocol: TLS, port: 9444, tls: {mode: Terminate, certificateRefs: [{name: server}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: named}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{group: sluice.dev, kind: Backend, name: named}]}]}
---
apiVersion: sluice.dev/v1alpha1
kind: Backend
metadata: {name: named}
spec: {endpoints: [{fqdn: {hostname: echo.example.com, port: 9101}}]}
---
apiVersion: sluice.dev/v1alpha1
kind: BackendPolicy
metadata: {name: named}
spec:
  targetRefs: [{group: sluice.dev, kind: Backend, name: named}]
  healthCheck: {active: {type: TCP, interval: 1s, tcp: {steps: [{expect: {type: Regex, regex: '"backend":"e[a-z]+o"'}}]}}}
"""


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def inside(root, *arguments, **options):
    """A process in the root, as the image's user, with no capability and no way to get one."""
    rights = ["setpriv", "--bounding-set=-all,+sys_chroot,+setuid,+setgid", "--no-new-privs"]
    command = [*rights, shutil.which("chroot"), f"--userspec={USER}:{USER}", "--groups=", root, "/usr/bin/sluice", *arguments]
    return subprocess.Popen(command, env={"PATH": "/usr/bin"}, text=True, **options)


def version(root, openssl):
    said = json.loads(inside(root, "version", "-o", "json", stdout=subprocess.PIPE).communicate(timeout=20)[0])
    assert openssl is None or f"OpenSSL {openssl}." in said["tlsLibrary"], said
    print("it runs with", said["tlsLibrary"])


def expect_powerless(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Uid"].split() == [str(USER)] * 4 and facts["Groups"].strip() == "", facts
    assert all(int(facts[key], 16) == 0 for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")) and facts["NoNewPrivs"] == "1", facts
    print("as user", USER, "without capabilities")


class Sink(http.server.BaseHTTPRequestHandler):
    received = []

    def do_POST(self):
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def ready():
    try:
        with urllib.request.urlopen("http://127.0.0.1:8081/readyz", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def greeting(stream):
    with stream, stream.makefile("rb") as reader:
        said = json.loads(reader.readline())
        stream.sendall(b"to and fro\n")
        assert reader.readline() == b"to and fro\n"
    return said["backend"]


def serve(root, manifests):
    """What engines provide: proc, dev, the resolver's file, a volume; everything else read-only."""
    Path(root, "etc/resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="utf-8")
    mount("--bind", root, root)
    mount("--rbind", "/proc", f"{root}/proc")
    mount("--rbind", "/dev", f"{root}/dev")
    mount("-o", "remount,bind,ro", root)
    mount("--bind", manifests, f"{root}/etc/sluice")
    done = subprocess.run(["touch", f"{root}/tmp/file"], capture_output=True, check=False)
    assert done.returncode and b"Read-only file system" in done.stderr, done
    threading.Thread(target=serve_names, args=("127.0.0.1",), daemon=True).start()
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 9200), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()


def main():
    root, openssl = str(Path(sys.argv[1]).resolve()), (sys.argv[2:] or [None])[0]
    with tempfile.TemporaryDirectory() as folder:
        manifests = shutil.copytree(ROOT / "examples/quickstart", f"{folder}/manifests")
        files = certificates(manifests, "blue.example.com", "nobody")
        Path(manifests, "more.yaml").write_text(MORE, encoding="utf-8")
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        serve(root, manifests)
        version(root, openssl)
        blue = ["--tls-cert", "/etc/sluice/pem/server.crt", "--tls-key", "/etc/sluice/pem/server.key"]
        processes = [
            inside(root, "echo", "--port", "9101", "--name", "echo"),
            inside(root, "echo", "--port", "9102", "--name", "blue", *blue),
            inside(root, "run", "--manifests", "/etc/sluice", "--event-sink", "http://127.0.0.1:9200/"),
        ]
        try:
            wait("readiness", ready, 60)
            expect_powerless(processes[2])
            assert greeting(socket.create_connection(("127.0.0.1", 9000), timeout=10)) == "echo"
            trust = trusting(files["server-ca.crt"])
            assert greeting(secured(9443, trust, "blue.example.com")) == "blue"
            print("bytes went through: plain, and TLS by name")
            assert greeting(secured(9444, trust, "blue.example.com")) == "echo"
            print("bytes went through: TLS ended here, the backend by DNS name, checked by a regular expression")
            wait("event", lambda: any(b"bytes" in body for body in Sink.received), 30)
            print("an event came")
            processes[2].terminate()
            assert processes[2].wait(timeout=30) == 0
            print("it ended in order")
        finally:
            for process in processes:
                process.kill()


if __name__ == "__main__":
    main()
