"""What all measures share during one run."""
import dataclasses
import pathlib


@dataclasses.dataclass
class Scene:
    folder: pathlib.Path
    processes: object
    load: object
    certificates: object
    programs: object
    backends: object = None
    transfer_bytes: int = 1 << 30
