"""Kamailio as a peer: a live server on a loopback port (kamailio/kamailio.cfg), which logs what its
script's pseudo-variables say of a message that came over a WebSocket.

Behind each message goes a ping: its pong says that the message is done with. A message that the
script never saw was refused, for which Kamailio ends the connection."""
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import time

import peer

RUN = pathlib.Path(__file__).resolve().parent.parent / "kamailio" / "run"
UPGRADE = (b"GET /sip HTTP/1.1\r\nHost: sip.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
           b"AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n")
PONG = b"\x8a\x04done"
WHY = re.compile(r"\]: ((?!receive_msg|get_hdr_field|parse_headers)\w+\(\): [ -~]*)")


def frame(opcode, data):
    n = len(data)
    length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
    return bytes([0x80 | opcode]) + length + bytes(4) + data


class Server:
    def __init__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.address = s.getsockname()
        self.process = subprocess.Popen([RUN, str(self.address[1])], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.set_blocking(self.process.stderr.fileno(), False)
        self.log = b""
        self.is_there = self.connect(10)

    def connect(self, seconds):
        """A new connection. It has `seconds`: to start, or to end all processes after a crash."""
        until = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < until:
            try:
                self.socket = socket.create_connection(self.address, 1)
                self.socket.sendall(UPGRADE)
                if self.socket.recv(4096).startswith(b"HTTP/1.1 101 "):
                    self.socket.setblocking(False)
                    return True
            except OSError:
                time.sleep(0.05)
            self.read_log()
        return False

    def read_log(self):
        while (more := self.process.stderr.read()):
            self.log += more

    def ask(self, message):
        """Gives what it logged of a message in self.log. False: it is gone."""
        out, back, self.log = frame(1 if isinstance(peer.octets(message), str) else 2, message) + frame(9, b"done"), b"", b""
        while PONG not in back:
            ready, writable, _ = select.select([self.socket, self.process.stderr], [self.socket] if out else [], [], 1)
            self.read_log() # or its pipe would be full
            try:
                if writable:
                    out = out[self.socket.send(out):]
                if self.socket in ready:
                    back += (more := self.socket.recv(65536))
                    if not more:
                        return self.connect(2)
            except ConnectionError:
                return self.connect(2)
        self.read_log()
        return True


def address(display, *rest):
    return {"display": peer.maybe(display), "uri": uri(*rest[:6]), "tag": peer.maybe(rest[6])}


def uri(text, scheme, user, password, host, port):
    apart = {"scheme": peer.octets(scheme), "user": peer.maybe(user), "password": peer.maybe(password), "host": peer.maybe(host), "port": peer.number(port)}
    return {"text": peer.octets(text)} | (apart if scheme in (b"sip", b"sips") else {})


def via(transport, host, port, branch, *others):
    first = {"transport": peer.maybe(transport), "host": peer.maybe(host), "port": peer.number(port), "branch": peer.maybe(branch)}
    return [first] + [{"host": peer.maybe(h)} for h in others if h]


READERS = {"request": lambda method, *rest: {"method": peer.octets(method), "uri": uri(*rest)}, "response": lambda status: {"status": peer.number(status)},
           "from": address, "to": address, "via": via, "call-id": peer.maybe, "content-length": peer.number, "body": peer.octets,
           "cseq": lambda number, method: {"number": peer.number(number), "method": peer.octets(method)}}


def read(message):
    if not server.ask(message):
        sys.exit("error: Kamailio ended: " + (re.findall(r"ALERT: .*signal.*", server.log.decode(errors="replace")) or ["it says nothing"])[0])
    o = {"fields": []}
    for line in re.findall(rb"READS (.*) \n", server.log):
        what, *parts = line.decode().split(" ")
        parts = [bytes.fromhex(p) for p in parts]
        if what == "field":
            o["fields"].append({"name": peer.octets(parts[0]), "raw": peer.octets(parts[1])})
        else:
            o[what] = READERS[what](*parts)
    if len(o) == 1:
        raise peer.Refused((WHY.findall(server.log.decode(errors="replace")) or ["its script never saw it"])[0], None)
    return o


version = subprocess.run([RUN, "--version"], capture_output=True, text=True)
if version.returncode:
    peer.absent(version.stderr.strip())
server = Server()
if not server.is_there:
    peer.absent("it does not start: " + server.log.decode(errors="replace")[-200:])
peer.serve("Kamailio", version.stdout.split()[2], read)
