"""What testssl.sh finds, judged by its own severity."""
import collections
import json
import pathlib
import shutil
import subprocess

from trials.common.bench import Failure

from .served import NAME

# What it looks at: versions, suites, forward secrecy, what the server prefers and says, known holes. Left out: headers of HTTP (what is
# relayed is not ours), clients that are simulated out of what was found anyway, each suite once more by itself, and names in DNS.
CHECKS = ["--protocols", "--std", "--pfs", "--server-preference", "--server-defaults", "--vulnerable", "--nodns", "none"]
# What it finds wrong for reasons that are the trial's own, or in no server's hands: identifiers with the reason.
EXPLAINED = {
    "cert_chain_of_trust": "the authority is one of the trial's",
    "cert_notAfter": "the certificates are valid for two days",
    "cert_expirationStatus": "the certificates are valid for two days",
    "cert_revocation": "the trial's authority revokes nothing and answers no OCSP",
    "engine_problem": "about the checker itself: GOST, which its OpenSSL has not",
    "sessionresumption_ticket": "about the checker itself, which names a version that `openssl s_client` does not know; "
                                "the check \"openssl resumes\" asks in its place",
}
# Those without which a run found nothing because it ended early; where versions of testssl.sh differ, either name.
DEMANDED = ["TLS1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_3DES_IDEA|cipherlist_OBSOLETED", "PFS|FS", "cipher_order",
            "TLS_compression|CRIME_TLS", "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "secure_client_renego",
            "POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4", "cert_trust <cert#1>"]
HARMLESS = {"OK", "INFO", "LOW"}


def program():
    found = shutil.which("testssl") or shutil.which("testssl.sh")
    if not found:
        raise Failure("testssl.sh is not installed; run: scripts/setup tls")
    return found


def reason(identifier):
    return next((words for name, words in EXPLAINED.items() if identifier == name or identifier.startswith(f"{name} ")), None)


def resumes(served):
    """What openssl says of a session that comes back, by version: what testssl.sh fails to ask."""
    results = []
    for version in ("tls1_2", "tls1_3"):
        session = pathlib.Path(served.folder) / f"session-{version}"
        said = [subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{served.ports['default']}", f"-{version}", flag, session],
                               capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL).stdout
                for flag in ("-sess_out", "-sess_in")]
        good = "New, TLS" in said[0] and "Reused, TLS" in said[1]
        results.append((f"openssl resumes: {version}", None if good else said[1][-500:], "by a ticket"))
    return results


def look(served, listener, checks):
    """What testssl.sh finds at a listener, and what it printed."""
    report = pathlib.Path(served.folder) / f"testssl-{listener}.json"
    target = ["--ip", "127.0.0.1", f"{NAME}:{served.ports[listener]}"]
    done = subprocess.run([program(), "--quiet", "--color", "0", "--warnings", "batch", "--jsonfile", report, *checks, *target],
                          capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    return json.loads(report.read_text()), done.stdout


def problems(findings):
    return [finding for finding in findings if finding["severity"] not in HARMLESS and not reason(finding["id"])]


def check(served):
    """[(what, problem or None, words)]."""
    findings, printed = look(served, "default", CHECKS)
    results = [(f"testssl.sh: {finding['id']}", f"{finding['severity']}: {finding['finding']}", "") for finding in problems(findings)]
    results += [(f"testssl.sh: {finding['id']}", None,
                 f"{finding['severity']}: {finding['finding']}; explained: {reason(finding['id'])}")
                for finding in findings if finding["severity"] not in HARMLESS and reason(finding["id"])]
    counts = collections.Counter(finding["severity"] for finding in findings)
    words = ", ".join(f"{severity} {count}" for severity, count in sorted(counts.items()))
    asked = {finding["id"] for finding in findings}
    missing = [names for names in DEMANDED if not asked & set(names.split("|"))]
    results.append(("testssl.sh", f"it did not look at {', '.join(missing)}:\n{printed[-2000:]}" if missing else None,
                    f"{len(findings)} findings: {words}"))
    # That it would find something: a listener with suites that nobody gets by default.
    weak, _ = look(served, "weak", ["--pfs", "--nodns", "none"])
    found = ", ".join(f"{finding['id']}: {finding['severity']}: {finding['finding']}" for finding in problems(weak))
    results.append(("testssl.sh, where the suites are weak", None if found else "it finds nothing wrong", found))
    return results + resumes(served)
