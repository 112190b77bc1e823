"""The attackers: each a process of its own, told by `python3 -B -m trials.hostile.attacker`."""
