"""Who runs where, so that it is the gateway that is measured, and not the machine that it shares with its attackers.

The gateway has a processor of its own, and one worker. Everything else has another one, on which clients that behave, and their
echo, go before attackers (SCHED_RR), where the kernel lets us. On a machine with other work all of them can be made to go before
that; but where an attack takes all of the gateway's processor, the kernel then leaves 50 ms of each second to others.
"""
import os
import subprocess

from ..common.bench import Failure


class Placing:
    def __init__(self, folder, busy):
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) < 2:
            raise Failure("two processors are needed: one for the gateway, one for everybody else")
        self._folder, (self._gateway, self._others) = folder, processors[:2]
        first = ["chrt", "--rr", "2"]
        goes_first = subprocess.run([*first, "true"], capture_output=True).returncode == 0
        if busy and not goes_first:
            raise Failure("nothing can be made to go before others here (chrt --rr)")
        self._first, self._busy = first if goes_first else [], busy
        # What stands before the attackers' command. With a real-time priority they would use up what the kernel grants to all
        # of those together: they only get the larger share among the others.
        self.attackers = ["setsid", "sh", "-c", 'echo -15 >/proc/self/autogroup; exec "$@"', "sh"] if busy else []
        # Threads of this program, and the attackers, which it starts.
        os.sched_setaffinity(0, {self._others})

    def gateway(self, program):
        return self._wrap("gateway", program, [*(self._first if self._busy else []), "taskset", "--cpu-list", str(self._gateway)])

    def calm(self, program):
        """Of the clients that behave."""
        return self._wrap("calm", program, self._first)

    def _wrap(self, name, program, command):
        path = self._folder / f"{name}.sh"
        path.write_text(f'#!/bin/sh\nexec {" ".join([*command, str(program)])} "$@"\n')
        path.chmod(0o755)
        return path
