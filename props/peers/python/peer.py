"""What the adapters in Python have in common: the pipe, and octets as JSON."""
import json
import os
import struct
import sys


class Refused(Exception):
    """Refused; of a stream, with the reading of what came before."""

    def __init__(self, why, reading):
        super().__init__(why)
        self.reading = reading


def octets(data):
    """A string where they are UTF-8, else {"hex": ...}."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        return {"hex": bytes(data).hex()}


def maybe(data):
    """None where a stack says with no octets that there is nothing."""
    return octets(data) if data else None


def number(data):
    """A number; octets where they are no number; None where there are none."""
    return int(data) if data.isdigit() and len(data.lstrip(b"0")) < 19 else maybe(data)


def say(line):
    os.write(1, (json.dumps(line) + "\n").encode())


def absent(why):
    say({"absent": why})
    sys.exit(0)


def serve(name, version, read):
    """Asks read for every stream. What it throws besides Refused ends the process: a crash."""
    say({"peer": name, "version": version})
    stdin = sys.stdin.buffer
    while len(head := stdin.read(4)) == 4:
        message = stdin.read(struct.unpack(">I", head)[0])
        try:
            say({"verdict": "accept", "reading": read(message)})
        except Refused as e:
            line = {"verdict": "refuse", "reason": str(e)[:200], "reading": e.reading}
            say({k: v for k, v in line.items() if v is not None})
