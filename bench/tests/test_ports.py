"""That a port which was given out stays its process's own, though nobody listens at it."""
import subprocess
import sys
import unittest

from runner import ports

_ANOTHER = "import sys; from runner import ports; print(ports._claim(int(sys.argv[1])))"


class PortsTests(unittest.TestCase):
    def test_no_other_process_gets_it(self):
        port = ports.free_port()
        self.assertEqual(self._claimed_elsewhere(port), "False")
        self.assertTrue(ports._claim(port))

    def test_it_is_free_again_with_its_process(self):
        port = ports.free_port()
        while ports._can_bind(port + 1) and self._claimed_elsewhere(port + 1) == "False":
            port = ports.free_port()
        self.assertEqual([self._claimed_elsewhere(port + 1) for _ in range(2)], ["True", "True"])

    @staticmethod
    def _claimed_elsewhere(port):
        return subprocess.run([sys.executable, "-B", "-c", _ANOTHER, str(port)], env={"PYTHONPATH": ":".join(sys.path)},
                              capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    unittest.main()
