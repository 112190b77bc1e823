"""What trials take from the benchmark (bench/runner)."""
import pathlib
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "bench"))

from runner.failure import Failure  # noqa: E402, F401  (the path has to be set first)
from runner.machine import allow_descriptors  # noqa: E402, F401
from runner.ports import free_port  # noqa: E402, F401
from runner.processes import Processes  # noqa: E402, F401
