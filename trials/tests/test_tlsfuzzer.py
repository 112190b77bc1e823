"""How what tlsfuzzer's scripts print is judged."""
import unittest

from trials.tls import tlsfuzzer

GOOD = "sanity ...\nOK\n\n"
OLD = "sanity - TLSv1.1 ...\nTraceback\nAssertionError: Unexpected message from peer: Alert(fatal, protocol_version)\n\n"
SCRIPT = "test-fallback-scsv.py"


class Judging(unittest.TestCase):
    def test_what_passes(self):
        self.assertEqual(tlsfuzzer.judge(SCRIPT, 0, GOOD * 2)[:2], (None, "2 of 2 conversations pass"))
        self.assertEqual(tlsfuzzer.judge(SCRIPT, 0, '"sanity" repeat 0...\nOK\n"sanity" repeat 1\nOK\n')[1],
                         "2 of 2 conversations pass")

    def test_what_is_explained(self):
        problem, words, reasons = tlsfuzzer.judge(SCRIPT, 1, GOOD + OLD)
        self.assertEqual((problem, words), (None, "1 of 2 conversations pass"))
        self.assertEqual(dict(reasons), {"TLS 1.1 and older are not spoken": 1})

    def test_what_is_not_explained(self):
        for printed in (GOOD + OLD.replace("TLSv1.1", "TLSv1.2"), GOOD + OLD.replace("protocol_version", "internal_error")):
            self.assertIn("1 of 2 conversations pass; sanity", tlsfuzzer.judge(SCRIPT, 1, printed)[0])
        self.assertTrue(tlsfuzzer.judge("test-conversation.py", 1, GOOD + OLD)[0])

    def test_what_proves_nothing(self):
        for code, printed in ((0, ""), (1, OLD), (1, GOOD), (0, GOOD + OLD)):
            with self.subTest(code=code, printed=printed):
                self.assertTrue(tlsfuzzer.judge(SCRIPT, code, printed)[0])


if __name__ == "__main__":
    unittest.main()
