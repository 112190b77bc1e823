"""Attacks on the gateway, beside clients that behave."""
