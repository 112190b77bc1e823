"""The proxies that are measured, each with its committed configuration. A new peer is one file here and one line in
command.py."""
