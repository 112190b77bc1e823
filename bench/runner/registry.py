"""Every measure, in the order of a run, with its sizes in either mode: attributes of the measure's class that are set on it."""
import dataclasses

from .measures.admission import Admission
from .measures.bandwidth import Bandwidth
from .measures.bulk import Bulk, Upload
from .measures.change import Change
from .measures.change_among import ChangeAmong
from .measures.checks import Checks
from .measures.connections import Connections
from .measures.idle import Idle, IdlePassthrough, IdleTLS
from .measures.listing import Listing
from .measures.names import Names
from .measures.observability import Observability
from .measures.roundtrips import RoundTrips, RoundTripsLarge, RoundTripsLargeMany, RoundTripsMany
from .measures.scrape import Scrape
from .measures.slow_reader import SlowReader
from .measures.sni import SNI
from .measures.stampede import Stampede
from .measures.tls_bulk import TLSBulk, TLSRebulk, TLSUpload
from .measures.tls_handshakes import Handshakes, HandshakesResumed, HandshakesRSA
from .measures.transfer import Transfer


@dataclasses.dataclass(frozen=True)
class Entry:
    measure: type
    smoke: dict | None  # None: not part of the smoke run
    full: dict


# Of a given time, many short rounds make a steadier median of ratios than few long ones: a machine's mood lasts for seconds.
REGISTRY = [
    Entry(Idle, smoke={"rounds": 2, "many": 2200}, full={"rounds": 2, "many": 9000}),
    Entry(IdlePassthrough, smoke=None, full={"rounds": 2, "many": 9000}),
    Entry(IdleTLS, smoke={"rounds": 2, "many": 2200}, full={"rounds": 2, "many": 9000}),
    Entry(Bulk, smoke={"rounds": 3, "seconds": 1.5}, full={"rounds": 9, "seconds": 0.6}),
    Entry(Upload, smoke=None, full={"rounds": 9, "seconds": 0.5}),
    Entry(TLSBulk, smoke=None, full={"rounds": 9, "seconds": 0.6}),
    Entry(TLSUpload, smoke=None, full={"rounds": 9, "seconds": 0.6}),
    Entry(TLSRebulk, smoke=None, full={"rounds": 9, "seconds": 0.6}),
    Entry(Connections, smoke={"rounds": 3, "count": 4000}, full={"rounds": 9, "count": 2500}),
    Entry(Observability, smoke={"rounds": 3, "count": 1500, "seconds": 0.5}, full={"rounds": 9, "count": 1500, "seconds": 0.5}),
    Entry(Admission, smoke=None, full={"rounds": 9, "count": 1000}),
    Entry(Handshakes, smoke={"rounds": 3, "count": 800}, full={"rounds": 9, "count": 1200}),
    Entry(HandshakesRSA, smoke=None, full={"rounds": 9, "count": 800}),
    Entry(HandshakesResumed, smoke=None, full={"rounds": 9, "count": 1200}),
    Entry(RoundTrips, smoke={"rounds": 3, "seconds": 1.0}, full={"rounds": 9, "seconds": 0.7}),
    Entry(RoundTripsMany, smoke=None, full={"rounds": 7, "seconds": 0.7}),
    Entry(RoundTripsLarge, smoke=None, full={"rounds": 7, "seconds": 0.7}),
    Entry(RoundTripsLargeMany, smoke=None, full={"rounds": 7, "seconds": 0.7}),
    Entry(SlowReader, smoke=None, full={"rounds": 3, "seconds": 1.5}),
    Entry(Bandwidth, smoke=None, full={"rounds": 3, "seconds": 3.0, "count": 2000}),
    Entry(Checks, smoke=None, full={"rounds": 3, "endpoints": 10_000, "seconds": 20.0}),
    Entry(Scrape, smoke=None, full={"rounds": 3}),
    Entry(Stampede, smoke=None, full={"rounds": 3, "connections": 9000}),
    Entry(Listing, smoke=None, full={"rounds": 5, "connections": 9000, "seconds": 3.0}),
    Entry(Names, smoke=None, full={"rounds": 3}),
    Entry(SNI, smoke=None, full={"rounds": 9, "count": 1000}),
    Entry(Change, smoke={}, full={}),
    Entry(ChangeAmong, smoke=None, full={"rounds": 2, "changes": 10}),
    Entry(Transfer, smoke={}, full={}),
]


def entries(mode):
    """What belongs to a mode ("smoke" or "full"): (measure's class, its sizes)."""
    found = [(entry.measure, getattr(entry, mode)) for entry in REGISTRY]
    return [(measure, sizes) for measure, sizes in found if sizes is not None]
