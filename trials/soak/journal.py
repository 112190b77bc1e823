"""What the gateway and the backends said in their logs: nothing may be there at the level of warnings that nobody has caused."""
import datetime
import json

from .judge import TCP_MEMORY


def read(path, judge, timeline, sink):
    undelivered = 0
    for text in path.read_text().splitlines():
        try:
            said = json.loads(text)
        except ValueError:
            judge.complain(f"the gateway's log has a line that is not JSON: {text}")
            continue
        undelivered += said["message"] == "events cannot be delivered" and said["error"] == "status 503"
        if said["level"] in ("warning", "error") and not _is_caused(said, timeline):
            judge.complain(f"the gateway says: {text}")
    # It says so once for each time that it begins.
    if undelivered > sink.failures:
        judge.complain(f"events could not be delivered {undelivered} times, but were refused {sink.failures} times")


def _is_caused(said, timeline):
    if said["message"] == "events cannot be delivered":
        return said["error"] == "status 503"
    if said["message"] in ("endpoint is unhealthy", "connecting to the backend failed"):
        endpoint = said.get("endpoint") or said["upstream_host"]
        return not timeline.steady(endpoint, "up", _time(said), _time(said))
    if said["message"] == "condition" and said.get("parent") == "soak/edge/flapping":
        return said["reason"] == "NoMatchingParent" and not timeline.steady("flapping", True, _time(said), _time(said))
    return False


def _time(said):
    return datetime.datetime.fromisoformat(said["time"]).timestamp()


def read_backends(folder, judge, timeline):
    """They say nothing but what is wrong."""
    for path in sorted(folder.glob("backend-*.log")):
        for text in path.read_text().splitlines():
            if not _broke_off_for_memory(text, timeline):
                judge.complain(f"{path.name}: {text}")


def _broke_off_for_memory(text, timeline):
    if "the upload broke off" not in text:
        return False
    said = json.loads(text)
    return timeline.touched(TCP_MEMORY, "short", said["from"], said["to"])
