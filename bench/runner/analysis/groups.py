"""Which measures are shown together, under which heading. A measure that is not here gets a group of its own."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Group:
    name: str  # of the plot's file
    heading: str
    measures: tuple


GROUPS = [
    Group("bulk", "Bulk TCP", ("bulk", "upload")),
    Group("connections", "New connections", ("connections",)),
    Group("admission", "New connections through limits", ("admission",)),
    Group("observability", "With an access log, and metrics asked for", ("observability",)),
    Group("roundtrips", "Request and response, 64 B", ("roundtrips", "roundtrips-1024")),
    Group("roundtrips-16k", "Request and response, 16 KiB", ("roundtrips-16k", "roundtrips-16k-1024")),
    Group("handshakes", "TLS handshakes", ("handshakes", "handshakes-rsa", "handshakes-resumed")),
    Group("tls-bulk", "Bulk TLS", ("tls-bulk", "tls-upload", "tls-rebulk")),
    Group("memory", "Memory of idle connections", ("idle", "idle-passthrough", "idle-tls")),
    Group("slow-reader", "Slow readers beside others", ("slow-reader",)),
    Group("bandwidth", "Limited bandwidth", ("bandwidth",)),
    Group("checks", "Active health checks", ("checks",)),
    Group("stampede", "Thousands of connections at once", ("stampede",)),
    Group("listing", "Listing connections", ("listing",)),
    Group("scrape", "A scrape of the metrics", ("scrape",)),
    Group("names", "10,000 routes by SNI, and connections through them", ("names", "sni")),
    Group("change", "A changed route", ("change", "change-among")),
    Group("transfer", "Whole transfers both ways, hashed at both ends", ("transfer",)),
]


def groups(series):
    """The groups that have figures: [(Group, its figures in the order of the run)]."""
    measures = series.measures()
    known = {name for group in GROUPS for name in group.measures}
    others = [Group(name, name, (name,)) for name in measures if name not in known]
    found = []
    for group in [*GROUPS, *others]:
        figures = [figure for figure in series.figures.values() if figure.measure in group.measures]
        measured = [figure for figure in figures if any(series.value(figure.key, subject) for subject in series.subjects)]
        if measured:
            found.append((group, measured))
    return found
