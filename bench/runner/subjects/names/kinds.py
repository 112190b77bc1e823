"""Which proxies can be measured with many names."""
from .envoy import NamedEnvoy
from .haproxy import NamedHAProxy
from .nginx import NamedNginx
from .sluice import NamedSluice

_KINDS = {"haproxy": NamedHAProxy, "nginx": NamedNginx, "envoy": NamedEnvoy}


def named_subject(subject):
    """The subject with many names, or None."""
    kind = NamedSluice if subject.is_sluice else _KINDS.get(subject.name)
    return kind(subject) if kind else None
