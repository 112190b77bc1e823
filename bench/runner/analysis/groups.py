"""Which measures are shown together, under which heading. A measure that is not here gets a group of its own."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Group:
    name: str  # of the plot's file
    heading: str
    measures: tuple


GROUPS = [
    Group("bulk", "Bulk TCP", ("bulk",)),
    Group("connections", "New connections", ("connections",)),
    Group("roundtrips", "Request and response", ("roundtrips",)),
    Group("handshakes", "TLS handshakes", ("handshakes",)),
    Group("memory", "Memory of idle connections", ("idle", "idle-tls")),
    Group("transfer", "Whole transfers both ways, hashed at both ends", ("transfer",)),
    Group("change", "A changed route", ("change",)),
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
