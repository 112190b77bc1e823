"""What testssl.sh finds, judged by its own severity."""
import json
import pathlib
import shutil
import subprocess

from trials.common.bench import Failure

# What it finds wrong for reasons that are the trial's own, or in no server's hands: identifiers with the reason.
EXPLAINED = {
    "cert_trust": "the name is that of no host: it is asked for by address",
    "cert_chain_of_trust": "the authority is one of the trial's",
    "cert_notAfter": "the certificates are valid for two days",
    "cert_expirationStatus": "the certificates are valid for two days",
    "cert_extlifeSpan": "the certificates are valid for two days",
    "cert_crlDistributionPoints": "the trial's authority revokes nothing",
    "cert_ocspURL": "the trial's authority revokes nothing",
    "cert_revocation": "the trial's authority revokes nothing",
    "OCSP_stapling": "the trial's authority answers no OCSP",
    "DNS_CAArecord": "127.0.0.1 has no records in DNS",
    "engine_problem": "about the checker itself",
}
HARMLESS = {"OK", "INFO", "LOW"}


def program():
    found = shutil.which("testssl") or shutil.which("testssl.sh")
    if not found:
        raise Failure("testssl.sh is not installed; run: scripts/setup tls")
    return found


def explained(identifier):
    return any(identifier == name or identifier.startswith(f"{name} ") for name in EXPLAINED)


def check(served):
    """[(what, problem or None, words)]."""
    report = pathlib.Path(served.folder) / "testssl.json"
    done = subprocess.run(
        [program(), "--quiet", "--color", "0", "--warnings", "batch", "--ip", "one", "--jsonfile", report,
         f"127.0.0.1:{served.ports['default']}"], capture_output=True, text=True, timeout=1500, stdin=subprocess.DEVNULL)
    findings = json.loads(report.read_text())
    by_severity = {}
    for finding in findings:
        by_severity.setdefault(finding["severity"], []).append(finding)
    words = ", ".join(f"{severity} {len(found)}" for severity, found in sorted(by_severity.items()))
    results = [(f"testssl.sh: {finding['id']}", None if explained(finding["id"]) else f"{finding['severity']}: {finding['finding']}",
                f"{finding['severity']}: {finding['finding']}; explained")
               for severity, found in by_severity.items() if severity not in HARMLESS for finding in found]
    asked = {finding["id"] for finding in findings}
    # A run that ended early would find nothing.
    missing = {"TLS1_2", "TLS1_3", "heartbleed", "ROBOT", "secure_client_renego", "LUCKY13", "RC4", "ticketbleed", "FS"} - asked
    results.append(("testssl.sh", f"it did not look at {', '.join(sorted(missing))}:\n{done.stdout[-2000:]}" if missing else None,
                    f"{len(findings)} findings: {words}"))
    return results
