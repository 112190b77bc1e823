"""Bulk TLS, four streams of AES-256-GCM: to the client, from the client, and to the client from a backend over TLS."""
from .bulk import Stream, figures_of

STREAMS = 4


class TLSBulk(Stream):
    name = "tls-bulk"
    service = "tls-bulk"
    streams = {"tls": STREAMS}
    figures = figures_of("tls", "bulk TLS to the client, terminated")


class TLSUpload(Stream):
    name = "tls-upload"
    service = "tls-upload"
    mode = "upload"
    streams = {"tls_upload": STREAMS}
    figures = figures_of("tls_upload", "bulk TLS from the client, terminated")


class TLSRebulk(Stream):
    name = "tls-rebulk"
    service = "tls-rebulk"
    streams = {"tls_rebulk": STREAMS}
    figures = figures_of("tls_rebulk", "bulk TLS to the client, re-encrypted")
