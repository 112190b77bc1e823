"""The proxies with a route for each of many server names: TLS passthrough on one port, each name with a backend of its own.
Each is configured as its users would do it, with what serves it best where they have a choice."""
