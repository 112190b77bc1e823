"""What a listener speaks where nobody configured anything: every version, suite, group and signature algorithm is tried, one by one."""
from . import wire

NAMES = {0xc02b: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02c: "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02f: "ECDHE-RSA-AES128-GCM-SHA256",
         0xc030: "ECDHE-RSA-AES256-GCM-SHA384", 0xcca8: "ECDHE-RSA-CHACHA20-POLY1305", 0xcca9: "ECDHE-ECDSA-CHACHA20-POLY1305"}
# Ranges of the registry of TLS in which suites are.
REGISTERED = [*range(0x0001, 0x00c8), *range(0x1301, 0x1306), *range(0xc001, 0xc105), *range(0xccA8, 0xccAF), *range(0xd001, 0xd006)]
GROUPS = {23: "P-256", 24: "P-384", 25: "P-521", 29: "X25519", 30: "X448", 4588: "X25519MLKEM768"}
STRONG_SIGNATURES = {0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b}


def versions(port):
    """Versions that are agreed on, of those that were ever spoken."""
    spoken = {}
    for version in (0x0300, 0x0301, 0x0302, 0x0303):
        # What those of old would have, RSA and CBC among it.
        hello = wire.client_hello(wire.EXTENSIONS_12, (*wire.SUITES_12, 0xc013, 0xc014, 0x002f, 0x0035, 0x000a), version)
        spoken[version] = wire.server_hello(port, hello, min(version, 0x0301))
    spoken[0x0304] = wire.server_hello(port, wire.client_hello(wire.extensions_13(), wire.SUITES_13))
    return {version for version, answer in spoken.items() if isinstance(answer, tuple)}


def suites(port, extensions, candidates):
    """The suites that are taken, in the server's order: the one that it chose is left out of the next hello."""
    taken = []
    # Many to a hello: who takes none of a hundred takes none of each.
    for start in range(0, len(candidates), 100):
        left = list(candidates[start:start + 100])
        while left:
            answer = wire.server_hello(port, wire.client_hello(extensions(), left))
            if not isinstance(answer, tuple):
                break
            taken.append(answer[1])
            left.remove(answer[1])
    return taken


def groups(port):
    """Groups of TLS 1.3 that a share is asked for when none was sent."""
    candidates = [*range(1, 42), *range(256, 261), 4587, 4588, 4589, 512, 513, 514]
    return {group for group in candidates
            if wire.reply(port, wire.record(22, wire.client_hello(
                wire.extensions_13(shares=[], groups=(group,)), wire.SUITES_13))) == "hello_retry"}


def requested_signatures(port):
    """What a listener that demands certificates would have clients sign with."""
    with wire.Peer(port) as peer:
        peer.send(wire.record(22, wire.client_hello(wire.EXTENSIONS_12)))
        messages, _ = peer.messages()
    request = next(content for kind, content in messages if kind == 13)
    start = 1 + request[0]
    size = int.from_bytes(request[start:start + 2], "big")
    listed = request[start + 2:start + 2 + size]
    return {int.from_bytes(listed[at:at + 2], "big") for at in range(0, size, 2)}


def check(served):
    """[(what, problem or None, words)] for each."""
    port = served.ports["default"]
    results = []

    def expect(what, found, allowed, words):
        wrong = set(found) - set(allowed)
        problem = None
        if wrong:
            problem = f"weak by default: {', '.join(sorted(words(each) for each in wrong))}"
        elif not found:
            problem = "nothing at all is spoken"
        results.append((what, problem, ", ".join(words(each) for each in found)))

    expect("versions", versions(port), {0x0303, 0x0304}, lambda each: f"{each:#06x}")
    expect("suites of TLS 1.2", suites(port, lambda: wire.EXTENSIONS_12, REGISTERED), NAMES,
           lambda each: NAMES.get(each, f"{each:#06x}"))
    expect("suites of TLS 1.3", suites(port, wire.extensions_13, list(range(0x1301, 0x1306))), set(wire.SUITES_13),
           lambda each: f"{each:#06x}")
    expect("groups", groups(port), GROUPS, lambda each: GROUPS.get(each, str(each)))
    expect("signature algorithms of clients", requested_signatures(served.ports["mutual"]), STRONG_SIGNATURES,
           lambda each: f"{each:#06x}")
    for name, hello in (("compression", wire.client_hello(wire.EXTENSIONS_12, compression=b"\x01\x00")),
                        ("heartbeat", wire.client_hello([*wire.EXTENSIONS_12, wire.extension(15, b"\x01")]))):
        with wire.Peer(port) as peer:
            peer.send(wire.record(22, hello))
            kind, content = peer.next_record()
        body = content[4:] if kind == 22 else b""
        chosen = body[37 + body[34]] if body else None
        heartbeat = b"\x00\x0f\x00\x01" in body
        results.append((name, None if chosen == 0 and not heartbeat else f"answered {content[:60].hex()}", "off"))
    return results
