"""A live SIP server on a loopback port, which is spoken to over a WebSocket and logs what it parsed.

Behind each message goes a ping: its pong says that the message is done with."""
import os
import select
import socket
import struct
import subprocess
import time

import peer

UPGRADE = (b"GET /sip HTTP/1.1\r\nHost: sip.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
           b"AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n")
PONG = b"\x8a\x04done"


def frame(opcode, data):
    n = len(data)
    length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
    return bytes([0x80 | opcode]) + length + bytes(4) + data


class Server:
    """`run` starts it, with the port as its argument, and its log is on standard error."""

    def __init__(self, run):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.address = s.getsockname()
        self.process = subprocess.Popen([run, str(self.address[1])], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
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

    def end(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()

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
