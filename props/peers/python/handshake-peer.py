"""A live server as a reader of handshakes: it gets the octets of the request on a connection of its own, and
what it answers is its reading.

    handshake-peer.py NAME COMMAND...      COMMAND PORT serves 127.0.0.1; COMMAND --version says its version"""
import base64
import hashlib
import re
import socket
import subprocess
import sys
import time

import peer

SILENCE = 1.5 # seconds, for a server that waits for more
name, command = sys.argv[1], sys.argv[2:]


def start():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = s.getsockname()
    process = subprocess.Popen([*command, str(address[1])], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(200):
        try:
            socket.create_connection(address, 1).close()
            return address, process
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    process.kill()
    return peer.absent("it does not start: " + process.stderr.read().decode(errors="replace")[-200:].strip())


def answer_to(head, silence):
    answer = b""
    with socket.create_connection(address, 2) as s:
        s.settimeout(silence)
        try:
            s.sendall(head)
            while b"\r\n\r\n" not in answer and (more := s.recv(4096)):
                answer += more
        except TimeoutError:
            return answer, "says nothing"
        except OSError:
            pass
    return answer, "ends the connection"


def read(head):
    answer, why = answer_to(head, SILENCE)
    if why == "says nothing": # or it was only slow
        answer, why = answer_to(head, 2 * SILENCE)
    if not answer and process.poll() is not None:
        sys.exit(f"error: {name} ended with {process.returncode}")
    status = re.match(rb"HTTP/1\.\d (\d\d\d)", answer)
    if not status or status[1] != b"101":
        raise peer.Refused(f"it answers {status[1].decode()}" if status else f"it {why}", None)
    fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in answer.split(b"\r\n")[1:])}
    key = re.search(rb"\r\nsec-websocket-key:[ \t]*([^\r\n]*?)[ \t]*\r\n", head, re.I)
    right = key and base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    accept = fields.get(b"sec-websocket-accept")
    return {"handshake": {"subprotocol": peer.maybe(fields.get(b"sec-websocket-protocol", b"")),
                          "key": None if accept is None else "answered" if accept == right else "answered otherwise",
                          "extensions": peer.maybe(fields.get(b"sec-websocket-extensions", b""))}}


try:
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20)
except OSError as e:
    peer.absent(f"{e}: ci/setup --peers")
number = re.search(r"\d+(\.\d+)+", version.stdout)
if version.returncode or not number:
    peer.absent((version.stderr.strip().splitlines() or ["it says no version"])[-1][-200:])
address, process = start()
peer.serve(name, number[0], read)
