"""The functions of Kubernetes' CEL that the rules of our definitions call, for celpy: isIP, isCIDR, isQuantity, quantity and
its compareTo."""

import ipaddress
import re
from fractions import Fraction

from celpy import celtypes


def is_ip(value):
    text = str(value)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return celtypes.BoolType(False)
    mapped = address.version == 6 and address.ipv4_mapped is not None
    return celtypes.BoolType("%" not in text and not mapped)


def is_cidr(value):
    address, separator, length = str(value).rpartition("/")
    plain = length.isascii() and length.isdigit() and str(int(length)) == length
    if not (separator and plain and is_ip(address)):
        return celtypes.BoolType(False)
    return celtypes.BoolType(int(length) <= ipaddress.ip_address(address).max_prefixlen)


SUFFIXES = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
SUFFIXES |= {letter: Fraction(1000 ** (power + 1)) for power, letter in enumerate("kMGTPE")}
SUFFIXES |= {f"{letter}i": Fraction(1024 ** (power + 1)) for power, letter in enumerate("KMGTPE")}


def quantity(value):
    """A Kubernetes quantity as a fraction; None where it is none."""
    match = re.fullmatch(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+)|([KMGTPE]i|[numkMGTPE]?))", str(value), re.ASCII)
    if not match:
        return None
    sign, digits, exponent, suffix = match.groups()
    factor = Fraction(10) ** int(exponent) if exponent else SUFFIXES[suffix or ""]
    return Fraction(digits) * factor * (-1 if sign == "-" else 1)


def is_quantity(value):
    return celtypes.BoolType(quantity(value) is not None)


def quantity_value(value):
    return celtypes.DoubleType(quantity(value))


def compare(left, right):
    return celtypes.IntType((left > right) - (left < right))


FUNCTIONS = {
    "isIP": is_ip, "isCIDR": is_cidr, "isQuantity": is_quantity, "quantity": quantity_value, "compareTo": compare,
}
