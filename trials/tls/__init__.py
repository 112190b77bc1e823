"""Whether TLS as Sluice terminates it stands up to testssl.sh and to clients that break the protocol."""
