"""What was so when."""
import time


class Timeline:
    """States of named things, each from a moment on."""

    def __init__(self):
        self._states = {}

    def note(self, name, state):
        self._states.setdefault(name, []).append((time.time(), state))

    def during(self, name, start, end):
        """Every state that a thing had in that time; None stands for: not yet noted."""
        found, before = set(), None
        for at, state in reversed(self._states.get(name, [])):
            if at <= end:
                found.add(state)
            if at < start:
                return found
        return found | {before}

    def touched(self, name, state, start, end, slack=3.0):
        """Whether a thing was in this state at some moment of the time, or `slack` seconds before or after."""
        return state in self.during(name, start - slack, end + slack)

    def steady(self, name, state, start, end, slack=8.0):
        """Whether a thing was in this state all the time, and from `slack` seconds before to as long after."""
        return self.during(name, start - slack, end + slack) == {state}
