"""That the trial of the last places notices who loses one, and who gets none."""
import socket
import unittest
import warnings
from unittest import mock

from trials.common.bench import Failure
from trials.hostile import exhaustion
from trials.hostile.exhaustion import _Echo


class _Gateway:
    """Counts what it is told to."""

    def __init__(self, ended):
        self._counts = {"sluice_listener_connections_active": 40, "sluice_listener_connections_rejected_total": ended}

    def metrics(self):
        return self

    def sum(self, name, **_):
        return self._counts[name]


class PlacesTests(unittest.TestCase):
    def setUp(self):
        # The trial leaves its clients to the end of its process.
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", ResourceWarning)

    def places(self, port, ended=3):
        crowd = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(crowd.close)
        gateway = _Gateway(ended), (port, crowd.getsockname()[1]), None
        with (mock.patch.object(exhaustion.network, "run"), mock.patch.object(exhaustion, "WAIT_S", 1),
              mock.patch.object(exhaustion, "_gateway", return_value=gateway)):
            return exhaustion.places(None, None, None)

    def test_room_is_made(self):
        seen = self.places(_Echo("127.0.0.1").port)
        self.assertEqual((seen["newcomer"], seen["ended"]), ("127.0.0.1", 3))

    def test_nobody_was_ended_or_more_than_were_half_open(self):
        for ended in 0, 36:
            with self.assertRaisesRegex(Failure, "room is made"):
                self.places(_Echo("127.0.0.1").port, ended)

    def test_a_newcomer_that_is_not_served(self):
        with self.assertRaisesRegex(Failure, "room is made"):
            self.places(_Limited(5).port)

    def test_one_inside_that_is_served_no_more(self):
        with self.assertRaisesRegex(Failure, "those inside"):
            self.places(_Forgetful("127.0.0.1").port)


class _Limited(_Echo):
    """Serves so many, and leaves all others without a word."""

    def __init__(self, places):
        self._places = places
        super().__init__("127.0.0.1")

    def _serve(self, connection):
        self._places -= 1
        if self._places >= 0:
            super()._serve(connection)
        else:
            connection.close()


class _Forgetful(_Echo):
    """Greets, and answers nothing that is said."""

    def _serve(self, connection):
        with connection:
            connection.sendall(b"127.0.0.1\n")
            connection.recv(64)
            connection.sendall(b"?\n")
