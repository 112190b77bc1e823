"""That wrong bytes and wrong ends are noticed: sessions with a backend behind a relay that does wrong."""
import asyncio
import pathlib
import tempfile
import unittest

from trials.common.bench import free_port
from trials.common.certificates import Authority
from trials.common.stream import Broken
from trials.common.tail import Tail
from trials.soak import sessions
from trials.soak.backends import Backend
from trials.soak.clients import _play
from trials.soak.scenarios import Scenario
from trials.soak.visit import World
from trials.soak.wish import Act

from runner.relay import Relay


class RelayedSessions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        authority = Authority(pathlib.Path(cls.folder.name) / "pairs")
        cls.authority, cls.pair = authority.certificate, authority.issue("backend", "passthrough.soak.test")
        cls.known = authority.issue("known", usage="clientAuth")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def play(self, what, tls=False, waits=True, **fault):
        """(What came of a session through a relay, what the backend found wrong)."""
        async def run():
            port, problems = free_port(), []
            backend = Backend("a", *self.pair)
            backend._report = lambda problem, _: isinstance(problem, Broken) or problems.append(problem)
            listening = asyncio.create_task(backend.listen(port, tls=tls))
            await asyncio.sleep(0)
            with Relay(port, **fault) as relay:
                world = World({"plain": relay.port, "tls": relay.port}, relay.port, self.authority, self.known, self.known)
                record = await _play(Scenario("test", what, 1, 0, 20), world)
                # Where the client has gone in the middle, the relay may leave the backend waiting.
                if waits and backend._tasks:
                    await asyncio.wait(set(backend._tasks), timeout=20)
                for task in set(backend._tasks):
                    task.cancel()
                listening.cancel()
                await asyncio.wait([listening, *backend._tasks])
            return record, problems
        return asyncio.run(run())

    def test_every_kind_of_session_in_order(self):
        kinds = {"chat": lambda visit, way: sessions.chat(visit, way, 0.05, 0.01),
                 "transfer": lambda visit, way: sessions.transfer(visit, way, 300_000, 400_000),
                 "half-closed": lambda visit, way: sessions.half_closed(visit, way, 300_000, 400_000),
                 "backend-first": lambda visit, way: sessions.backend_first(visit, way, 300_000, 400_000)}
        for name, kind in kinds.items():
            for way in sessions.plain, sessions.passthrough:
                record, problems = self.play(lambda visit: kind(visit, way), tls=way is sessions.passthrough)
                self.assertEqual((record["outcome"], problems), ("served", []), (name, way, record))

    def test_a_byte_that_was_changed_or_lost_on_either_way(self):
        for fault in "corrupt", "lose":
            record, _ = self.play(lambda visit: sessions.transfer(visit, sessions.plain, 300_000, 400_000),
                                  waits=False, fault=fault, at=200_000)
            self.assertEqual(record["outcome"], "wrong", record)
            _, problems = self.play(lambda visit: sessions.transfer(visit, sessions.plain, 300_000, 400_000),
                                    fault=fault, at=200_000, towards="backend")
            self.assertIn("wrong bytes", str(problems))

    def test_an_upload_that_ends_early(self):
        record, problems = self.play(lambda visit: sessions.transfer(visit, sessions.plain, 300_000, 400_000),
                                     fault="truncate", at=200_000, towards="backend")
        self.assertNotEqual(record["outcome"], "served")
        self.assertIn("of 300000 bytes", str(problems))

    def test_one_end_taken_for_both(self):
        _, problems = self.play(lambda visit: sessions.backend_first(visit, sessions.plain, 300_000, 100), fault="end-both")
        self.assertIn("the upload", str(problems))

    def test_ends_of_a_backend(self):
        for way, act, outcome in ((sessions.plain, Act.CUT, "ended"), (sessions.passthrough, Act.CUT, "truncated")):
            record, problems = self.play(lambda visit: sessions.backend_fault(visit, way, act), tls=way is sessions.passthrough)
            self.assertEqual((record["outcome"], problems), (outcome, []), record)


class TailTests(unittest.TestCase):
    def test_lines_across_rotations_of_which_one_is_empty(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "log"
            writer = open(path, "wb", buffering=0)
            tail, read = Tail(path), []

            def reopen():
                nonlocal writer
                writer.write(b"last of the old\n")
                writer.close()
                writer = open(path, "wb", buffering=0)

            def empty():
                nonlocal writer
                writer.close()
                writer = open(path, "wb", buffering=0)

            writer.write(b"1\n2\nbeg")
            read += tail.lines()
            writer.write(b"un\n")
            tail.rotate(reopen)
            tail.rotate(empty)
            read += tail.lines()
            writer.write(b"3\n")
            read += tail.lines()
            self.assertEqual(read, [b"1", b"2", b"begun", b"last of the old", b"3"])
            self.assertEqual([each.name for each in path.parent.iterdir()], ["log"])
            writer.close()
            tail.close()
