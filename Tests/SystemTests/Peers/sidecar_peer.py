"""Runs the sidecar of a manifest as the kubelet would, on this host, and speaks through it.

    sidecar_peer.py valid MANIFEST…                 Kubernetes' schemas accept every object of the files
    sidecar_peer.py terminate SLUICE MANIFEST       TLS for Redis in the same pod
    sidecar_peer.py dial SLUICE MANIFEST            TLS towards db.example.com for who dials 127.0.0.1:5432

The last two need namespaces of their own for network and mounts; /etc becomes a copy in which the volumes stand. Prints a line for
each thing that was seen; what is not as it should be is an exception."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from pod_volumes import Volume, config_maps, documents, pod

ROOT = Path(__file__).parents[3]
USER = 15480


def wait(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"no {what} within {seconds} s")


def certificates(folder, names, client):
    """What examples/certificates makes: an authority for servers, one for clients, and a certificate of each."""
    subprocess.run([ROOT / "examples/certificates", folder, names, f"{client}=spiffe://example.com/{client}"], check=True)
    return {path.name: path.read_text(encoding="utf-8") for path in (Path(folder) / "pem").iterdir()}


def pair(files, name):
    return {"tls.crt": files[f"{name}.crt"], "tls.key": files[f"{name}.key"]}


class Sidecar:
    """The container of a manifest, with the arguments, user and rights that stand there."""

    def __init__(self, sluice, manifest, objects, folder):
        spec = pod(manifest)
        container = next(item for item in spec["initContainers"] if item["name"] == "sluice")
        assert container["restartPolicy"] == "Always" and container["securityContext"]["runAsUser"] == USER, container
        objects.update({("configMap", name): data for name, data in config_maps(manifest).items()})
        shutil.copytree("/etc", f"{folder}/etc", symlinks=True, ignore_dangling_symlinks=True)
        Path(f"{folder}/etc/resolv.conf").unlink(missing_ok=True)
        Path(f"{folder}/etc/resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="utf-8")
        subprocess.run(["mount", "--bind", f"{folder}/etc", "/etc"], check=True)
        mounts = {item["name"]: item["mountPath"] for item in container["volumeMounts"]}
        self.volumes = {
            item["name"]: Volume(item, mounts[item["name"]], objects)
            for item in spec["volumes"] if mounts.get(item["name"], "").startswith("/etc/")
        }
        os.chmod(folder, 0o755)
        binary = shutil.copy(sluice, f"{folder}/sluice")
        subprocess.run([binary, "check", mounts["sluice"]], check=True, stdout=subprocess.DEVNULL)
        self.probe = container["startupProbe"]["httpGet"]
        self.process = subprocess.Popen([*self.user(), binary, *container["args"]])
        wait("answer of the startup probe", lambda: self.answers(self.probe))

    @staticmethod
    def user():
        """The container's user, without any right; in a user namespace there is none but root."""
        if int(Path("/proc/self/uid_map").read_text(encoding="utf-8").split()[2]) <= USER:
            return []
        return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]

    def answers(self, probe):
        if self.process.poll() is not None:
            raise ChildProcessError(f"the sidecar ended: {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{probe['port']}{probe['path']}", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def swap(self):
        for volume in self.volumes.values():
            volume.write()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0, self.process.returncode


def secured(port, context, name):
    stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=5), server_hostname=name)
    stream.settimeout(5)
    return stream


def ping(stream):
    stream.sendall(b"PING\r\n")
    answer = stream.recv(100)
    assert answer == b"+PONG\r\n", answer


def refused(port, context, name):
    """In TLS 1.3 a client hears of its certificate's refusal with the first thing that it reads."""
    try:
        with contextlib.closing(secured(port, context, name)) as stream:
            stream.sendall(b"PING\r\n")
            answer = stream.recv(100)
    except ssl.SSLError as error:
        return error.reason or str(error)
    raise AssertionError(f"was let in, and got {answer!r}")


def trusting(authority, folder=None, client=None):
    context = ssl.create_default_context(cadata=authority)
    if client:
        context.load_cert_chain(f"{folder}/pem/{client}.crt", f"{folder}/pem/{client}.key")
    return context


def run_terminate(sluice, manifest, folder):
    name = "redis.example.com"
    ours, others = certificates(f"{folder}/ours", name, "app"), certificates(f"{folder}/others", name, "app")
    objects = {("secret", "redis-tls"): pair(ours, "server"), ("configMap", "clients-ca"): {"ca.crt": ours["clients-ca.crt"]}}
    sidecar = Sidecar(sluice, manifest, objects, folder)
    print("the sidecar serves before the application starts")
    container = pod(manifest)["containers"][0]
    quiet = ["--port", "6379", "--save", "", "--dir", folder]
    redis = subprocess.Popen(["redis-server", *container["args"], *quiet], stdout=subprocess.DEVNULL)
    wait("Redis", lambda: socket.socket().connect_ex(("127.0.0.1", 6379)) == 0)
    client = trusting(ours["server-ca.crt"], f"{folder}/ours", "app")
    established = secured(6380, client, name)
    ping(established)
    demands = any("clients/ca.crt" in path for path, _ in sidecar.volumes["sluice"].sources())
    without = trusting(ours["server-ca.crt"])
    if demands:
        print("mutual TLS: PONG")
        print("without a certificate:", refused(6380, without, name))
        print("another authority's:", refused(6380, trusting(ours["server-ca.crt"], f"{folder}/others", "app"), name))
    else:
        ping(secured(6380, without, name))
        print("TLS without a certificate: PONG")

    objects["secret", "redis-tls"] = pair(others, "server")
    sidecar.swap()
    client = trusting(others["server-ca.crt"], f"{folder}/ours", "app")

    def renewed():
        try:
            return secured(6380, client, name)
        except ssl.SSLCertVerificationError:
            return None

    ping(wait("new certificate", renewed))
    ping(established)
    print("the Secret was swapped: a new certificate, and the old session goes on")
    redis.terminate()
    redis.wait(timeout=10)
    assert established.recv(1) == b"", "the session has not ended with the application"
    sidecar.stop()
    print("the sidecar ended after the application")


def serve_names(address):
    """Answers every question for an IPv4 address, and others with nothing."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        question, peer = server.recvfrom(512)
        end = question.index(0, 12) + 5
        is_address = question[end - 4:end - 2] == b"\0\1"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + socket.inet_aton(address) if is_address else b""
        head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_address else b"\0\0") + b"\0\0\0\0"
        server.sendto(head + question[12:end] + record, peer)


def serve_database(folder, names):
    """A server at 127.0.0.2:5432 that lets in clients of our authority only, and tells each its name and server name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/pem/server.crt", f"{folder}/pem/server.key")
    context.load_verify_locations(f"{folder}/pem/clients-ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.sni_callback = lambda stream, name, _: names.append(name)
    server = socket.create_server(("127.0.0.2", 5432))

    def serve():
        while True:
            plain, _ = server.accept()
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as stream:
                stream.sendall(dict(stream.getpeercert()["subjectAltName"])["URI"].encode() + b"\n")
                stream.sendall(stream.recv(100))

    threading.Thread(target=serve, daemon=True).start()
    return context


def dialled():
    """What the application gets who dials the sidecar and says something; nothing where it is refused."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", 5432), timeout=5) as stream:
        stream.sendall(b"hello")
        with stream.makefile("rb") as reader:
            return reader.read()
    return b""


def run_dial(sluice, manifest, folder):
    threading.Thread(target=serve_names, args=("127.0.0.2",), daemon=True).start()
    name, names = "db.example.com", []
    ours, others = certificates(f"{folder}/ours", name, "orders"), certificates(f"{folder}/others", name, "orders")
    wrong = certificates(f"{folder}/wrong", "other.example.com", "orders")
    objects = {("secret", "orders-client"): pair(ours, "orders"), ("configMap", "database-ca"): {"ca.crt": ours["server-ca.crt"]}}
    # It has the sidecar's port on another address: the sidecar must listen on the pod's loopback alone.
    context = serve_database(f"{folder}/ours", names)
    sidecar = Sidecar(sluice, manifest, objects, folder)
    expected = b"spiffe://example.com/orders\nhello"
    wait("answer through the sidecar", lambda: dialled() == expected)
    assert set(names) == {name}, names
    print("the server saw the client's certificate and the name", names[0])

    objects["secret", "orders-client"] = pair(others, "orders")
    sidecar.swap()
    wait("refusal of another authority's certificate", lambda: dialled() == b"")
    objects["secret", "orders-client"] = pair(ours, "orders")
    sidecar.swap()
    wait("answer with the certificate that is back", lambda: dialled() == expected)
    print("the client's Secret was swapped, and back")

    context.load_cert_chain(f"{folder}/wrong/pem/server.crt", f"{folder}/wrong/pem/server.key")
    objects["configMap", "database-ca"] = {"ca.crt": ours["server-ca.crt"] + wrong["server-ca.crt"]}
    sidecar.swap()
    wait("refusal of a certificate with another name", lambda: dialled() == b"")
    print("a server with another name is refused")
    sidecar.stop()
    print("the sidecar ended")


def run_valid(*manifests):
    import kubernetes_validate

    for manifest in manifests:
        for document in documents(manifest):
            for version in ("1.29", "1.37"):
                kubernetes_validate.validate(document, version, strict=True)
            print(f"{document['kind']} {document['metadata']['name']}")


def main():
    mode, *arguments = sys.argv[1:]
    if mode == "valid":
        return run_valid(*arguments)
    with tempfile.TemporaryDirectory() as folder:
        return {"terminate": run_terminate, "dial": run_dial}[mode](*arguments, folder)


if __name__ == "__main__":
    main()
