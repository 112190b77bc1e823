"""Runs proxies beside each other on the same load and reports ratios. Standard library only."""
