"""Tests of what reads results: `.build/venv/bin/python -m unittest tests.test_report tests.test_compare`, in bench."""
