"""The command lines of a fence, and whether their flags exist."""
import re
import shlex
import subprocess
from functools import cache

import session

ENDS = {"|", "||", "&&", ";", "&", ">", ">>", "2>&1", "<"}
FLAG = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")


def of(program, text):
    """Words of each call of the program that begins a line or follows a pipe, up to the next operator."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.split("\n"):
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            words = list(lexer)
        except ValueError:
            # A quotation over several lines.
            continue
        while words:
            cut = next((at for at, word in enumerate(words) if word in ENDS), len(words))
            call, words = words[:cut], words[cut + 1:]
            if call and call[0] == program:
                yield call


@cache
def help_of(*words):
    result = subprocess.run([session.binary(), "help", *words], capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else ""


@cache
def flags_of(command):
    return set(FLAG.findall(help_of(command))) | {"--help", "-h"}


def complaint(words):
    """What is wrong with a call of sluice, or nothing."""
    if len(words) < 2 or words[1].startswith("-"):
        return ""
    command = words[1]
    if not help_of(command):
        return f"sluice has no command {command}"
    for word in words[2:]:
        flag = word.split("=")[0]
        if flag.startswith("-") and flag != "-" and flag not in flags_of(command):
            return f"sluice {command} has no flag {flag}"
    return ""
