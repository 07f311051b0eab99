#!/usr/bin/env python3
"""sipws serve and sipws connect over real sockets, on loopback.

    ci/test_net.py BIN     the directory of the program

Two clients of this file's own (handshake and frames written out, nothing of sipws) meet at the
server; sipws connect meets the server, and servers that are wrong. Exit status: 0 all as it should
be, 1 not.
"""

import base64
import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

SIPWS = None
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATIENCE = 20  # seconds for anything


def lines(*text):
    return "\r\n".join(text + ("", "")).encode()


class Client:
    """A WebSocket client: one message in each masked text frame."""

    def __init__(self, port, origin=None, protocol="sip"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.buffer = b""
        key = base64.b64encode(os.urandom(16))
        head = ["GET /sip HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket",
                "Connection: Upgrade", f"Sec-WebSocket-Key: {key.decode()}",
                "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {protocol}"]
        self.socket.sendall(lines(*head, *([f"Origin: {origin}"] if origin else [])))
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        self.head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(self.head.split()[1])
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.sound = b"Sec-WebSocket-Accept: " + accept in self.head

    def more(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise EOFError("the server ended the stream")
        self.buffer += octets

    def send(self, octets, opcode=1):
        key = os.urandom(4)
        n = len(octets)
        length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n)
        masked = bytes(o ^ key[i % 4] for i, o in enumerate(octets))
        self.socket.sendall(bytes([0x80 | opcode]) + length + key + masked)

    def frame(self):
        """Opcode and payload of the next frame."""
        while True:
            b = self.buffer
            if len(b) >= 2:
                n, at = b[1], 2
                if n == 126 and len(b) >= 4:
                    n, at = struct.unpack(">H", b[2:4])[0], 4
                if n != 126 or at == 4:
                    if len(b) >= at + n:
                        self.buffer = b[at + n:]
                        return b[0] & 15, b[at:at + n]
            self.more()

    def message(self):
        opcode, payload = self.frame()
        assert opcode in (1, 2), (opcode, payload)
        return payload.decode()

    def close(self):
        self.socket.close()


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen([SIPWS, "serve", "--listen", "ws://127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.fullmatch(r"listening on ws://127\.0\.0\.1:(\d+)\n", line)[1])

    def ask_to_end(self):
        self.process.terminate()
        self.process.terminate = lambda: None  # a second signal would not wait for the goodbyes

    def end(self):
        """Its lines, once it has been asked to end."""
        self.ask_to_end()
        out = self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode, out


def request(method, uri, name, to, *more, branch="1", body=""):
    return lines(f"{method} {uri} SIP/2.0",
                 f"Via: SIP/2.0/WS {name}.invalid;branch=z9hG4bK{branch}",
                 *([] if any(m.startswith("Max-Forwards") for m in more) else ["Max-Forwards: 70"]),
                 f"From: <sip:{name}@example.org>;tag={name}1", f"To: {to}",
                 f"Call-ID: {name}-{branch}", f"CSeq: 1 {method}", *more)


def field(message, name):
    return re.findall(rf"(?m)^{name}: (.*?)\r$", message)


def connect(*arguments):
    return subprocess.run([SIPWS, "connect", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=PATIENCE)


class Serve(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.ended)
        self.clients = []

    def ended(self):
        for c in self.clients:
            c.close()
        status, self.log = self.server.end()
        self.assertEqual(status, 0, self.log)

    def client(self, name=None):
        c = Client(self.server.port)
        self.clients.append(c)
        self.assertEqual(c.status, 101)
        self.assertTrue(c.sound)
        if name:
            c.send(request("REGISTER", "sip:example.org", name, f"<sip:{name}@example.org>",
                           f"Contact: <sip:{name}x@{name}.invalid;transport=ws>;expires=120"))
            answer = c.message()
            self.assertRegex(answer, r"^SIP/2\.0 200 ")
            self.assertEqual(field(answer, "Contact"),
                             [f"<sip:{name}x@{name}.invalid;transport=ws>;expires=120"])
        return c

    def test_options(self):
        c = self.client()
        c.send(request("OPTIONS", "sip:example.org", "ada", "<sip:example.org>"))
        answer = c.message()
        self.assertRegex(answer, r"^SIP/2\.0 200 OK\r\n")
        self.assertIn("INVITE", field(answer, "Allow")[0])
        self.assertEqual(field(answer, "Via"), ["SIP/2.0/WS ada.invalid;branch=z9hG4bK1"])

    def test_each_transaction_has_its_tag(self):
        c = self.client()
        tags = []
        for branch in ("1", "1", "2"):
            c.send(request("OPTIONS", "sip:example.org", "ada", "<sip:example.org>", branch=branch))
            tags += re.findall(r";tag=(\w+)", field(c.message(), "To")[0])
        self.assertEqual(tags[0], tags[1])
        self.assertNotEqual(tags[0], tags[2])

    def test_a_call(self):
        ada, bob = self.client("ada"), self.client("bob")
        ada.send(request("INVITE", "sip:bob@example.org", "ada", "<sip:bob@example.org>",
                         "Contact: <sip:adax@ada.invalid;transport=ws>"))
        invite = bob.message()
        self.assertRegex(invite, r"^INVITE sip:bobx@bob\.invalid;transport=ws SIP/2\.0\r\n")
        vias = field(invite, "Via")
        self.assertEqual(len(vias), 2)
        self.assertRegex(vias[0], rf"^SIP/2\.0/WS 127\.0\.0\.1:{self.server.port};branch=z9hG4bK")
        self.assertEqual(field(invite, "Max-Forwards"), ["69"])
        route = field(invite, "Record-Route")
        self.assertRegex(route[0], r"^<sip:\S+@127\.0\.0\.1:\d+;transport=ws;lr>$")
        bob.send(lines("SIP/2.0 200 OK", *[f"Via: {v}" for v in vias],
                       f"Record-Route: {route[0]}", *[f"From: {v}" for v in field(invite, "From")],
                       f"To: {field(invite, 'To')[0]};tag=b", f"Call-ID: {field(invite, 'Call-ID')[0]}",
                       "CSeq: 1 INVITE", "Contact: <sip:bobx@bob.invalid;transport=ws>"))
        ok = ada.message()
        self.assertRegex(ok, r"^SIP/2\.0 200 OK\r\n")
        self.assertEqual(field(ok, "Via"), ["SIP/2.0/WS ada.invalid;branch=z9hG4bK1"])
        ada.send(request("ACK", "sip:bobx@bob.invalid;transport=ws", "ada",
                         "<sip:bob@example.org>;tag=b", f"Route: {route[0]}", branch="2"))
        ack = bob.message()
        self.assertRegex(ack, r"^ACK sip:bobx@bob\.invalid;transport=ws SIP/2\.0\r\n")
        self.assertEqual(field(ack, "Route"), [])
        # The other way round, by the same token.
        bob.send(request("BYE", "sip:adax@ada.invalid;transport=ws", "bob",
                         "<sip:ada@example.org>;tag=ada1", f"Route: {route[0]}", branch="3"))
        self.assertRegex(ada.message(), r"^BYE sip:adax@ada\.invalid;transport=ws SIP/2\.0\r\n")

    def test_retransmissions_have_one_branch(self):
        ada, bob = self.client("ada"), self.client("bob")
        one = request("MESSAGE", "sip:bob@example.org", "ada", "<sip:bob@example.org>")
        ada.send(one)
        ada.send(one)
        first, second = bob.message(), bob.message()
        self.assertEqual(first, second)
        ada.send(request("MESSAGE", "sip:bob@example.org", "ada", "<sip:bob@example.org>", branch="9"))
        self.assertNotEqual(field(first, "Via")[0], field(bob.message(), "Via")[0])

    def refused(self, status, octets):
        ada = self.client("ada")
        ada.send(octets)
        self.assertRegex(ada.message(), rf"^SIP/2\.0 {status} ")

    def test_nobody(self):
        self.refused(404, request("INVITE", "sip:eve@example.org", "ada", "<sip:eve@example.org>",
                                  "Contact: <sip:adax@ada.invalid;transport=ws>"))

    def test_too_many_hops(self):
        self.client("bob")
        self.refused(483, request("MESSAGE", "sip:bob@example.org", "ada", "<sip:bob@example.org>",
                                  "Max-Forwards: 0"))

    def test_a_token_is_not_made_up(self):
        self.client("bob")
        self.refused(403, request("BYE", "sip:bobx@bob.invalid", "ada", "<sip:bob@example.org>;tag=b",
                                  "Route: <sip:1_2.0123456789abcdef@127.0.0.1;transport=ws;lr>"))

    def test_a_token_is_for_its_two_flows(self):
        ada, bob = self.client("ada"), self.client("bob")
        ada.send(request("INVITE", "sip:bob@example.org", "ada", "<sip:bob@example.org>",
                         "Contact: <sip:adax@ada.invalid;transport=ws>"))
        route = field(bob.message(), "Record-Route")[0]
        eve = self.client("eve")
        eve.send(request("BYE", "sip:bobx@bob.invalid", "eve", "<sip:bob@example.org>;tag=b",
                         f"Route: {route}"))
        self.assertRegex(eve.message(), r"^SIP/2\.0 403 ")

    def test_a_response_that_nobody_asked_for(self):
        ada, bob = self.client("ada"), self.client("bob")
        bob.send(lines("SIP/2.0 200 OK", "Via: SIP/2.0/WS 127.0.0.1;branch=z9hG4bKx-1.0123456789abcdef",
                       "Via: SIP/2.0/WS ada.invalid;branch=z9hG4bK1", "From: <sip:a@b>;tag=1",
                       "To: <sip:b@a>;tag=2", "Call-ID: 1", "CSeq: 1 OPTIONS"))
        ada.send(request("OPTIONS", "sip:example.org", "ada", "<sip:example.org>"))
        self.assertEqual(field(ada.message(), "CSeq"), ["1 OPTIONS"])  # the answer, and nothing before it
        self.assertEqual(ada.buffer, b"")

    def test_a_flow_that_is_gone(self):
        ada, bob = self.client("ada"), self.client("bob")
        bob.send(struct.pack(">H", 1000), opcode=8)
        self.assertEqual(bob.frame(), (8, struct.pack(">H", 1000)))
        bob.close()
        ada.send(request("MESSAGE", "sip:bob@example.org", "ada", "<sip:bob@example.org>"))
        self.assertRegex(ada.message(), r"^SIP/2\.0 404 ")

    def test_bindings_are_removed(self):
        ada, bob = self.client("ada"), self.client("bob")
        bob.send(request("REGISTER", "sip:example.org", "bob", "<sip:bob@example.org>", "Contact: *",
                         "Expires: 0", branch="2"))
        self.assertEqual(field(bob.message(), "Contact"), [])
        ada.send(request("MESSAGE", "sip:bob@example.org", "ada", "<sip:bob@example.org>"))
        self.assertRegex(ada.message(), r"^SIP/2\.0 404 ")

    def test_a_message_that_is_refused(self):
        self.refused(400, request("OPTIONS", "sip:example.org", "ada", "<sip:example.org>",
                                  "Content-Length: 7"))

    def test_keep_alive(self):
        ada = self.client()
        ada.send(b"\r\n\r\n")
        self.assertEqual(ada.frame(), (1, b"\r\n"))
        ada.send(b"here?", opcode=9)
        self.assertEqual(ada.frame(), (10, b"here?"))

    def test_it_says_goodbye(self):
        ada = self.client()
        self.server.ask_to_end()
        opcode, payload = ada.frame()
        self.assertEqual((opcode, payload[:2]), (8, struct.pack(">H", 1001)))


class ServeOptions(unittest.TestCase):
    def test_origin(self):
        server = Server("--origin", "https://www.example.org")
        status = [Client(server.port, origin=o).status
                  for o in ("https://www.example.org", "https://www.example.org.evil.example", "null", None)]
        self.assertEqual(status, [101, 403, 403, 403])
        self.assertEqual(server.end()[0], 0)

    def test_connections(self):
        server = Server("--connections", "1")
        first = Client(server.port)
        with self.assertRaises((EOFError, ConnectionError)):
            Client(server.port)
        first.close()
        self.assertIn("too many connections", server.end()[1])

    def test_once(self):
        server = Server("--once")
        Client(server.port).close()
        out = server.process.communicate(timeout=PATIENCE)[0]
        self.assertEqual(server.process.returncode, 0, out)

    def test_no_subprotocol(self):
        server = Server()
        self.assertEqual(Client(server.port, protocol="gossip").status, 400)
        self.assertIn("sip is not offered", server.end()[1])

    def test_wrong_use(self):
        for arguments in (["--listen", "http://127.0.0.1"], ["--listen", "wss://127.0.0.1:0"],
                          ["--listen", "ws://192.0.2.1:0"], ["more"], ["--listen"]):
            r = subprocess.run([SIPWS, "serve", *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=PATIENCE)
            self.assertEqual(r.returncode, 2, arguments)
            self.assertNotEqual(r.stderr, b"")


class Connect(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.url = f"ws://127.0.0.1:{self.server.port}"
        self.addCleanup(self.server.end)

    def test_it_opens(self):
        r = connect(self.url)
        self.assertEqual((r.returncode, r.stdout), (0, ""))
        self.assertIn("open, subprotocol sip", r.stderr)

    def test_requests(self):
        r = connect("--options", "--register", "sip:ada@example.org", self.url + "/x?y=1")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(r.stdout.count("SIP/2.0 200 OK"), 2)

    def test_a_refusal(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(request("MESSAGE", "sip:nobody@example.org", "ada", "<sip:nobody@example.org>"))
            f.flush()
            r = connect("--send", f.name, self.url)
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertIn("SIP/2.0 404", r.stdout)

    def test_no_server(self):
        self.assertEqual(connect("ws://127.0.0.1:1").returncode, 2)

    def test_wrong_use(self):
        for arguments in ([], [self.url, self.url], ["--register", "tel:1", self.url], ["ws://"],
                          ["ws://127.0.0.1/#x"], ["ws://192.0.2.1/"], ["--send", "/nowhere", self.url]):
            self.assertEqual(connect(*arguments).returncode, 2, arguments)


def answering(octets):
    """The port of a server that answers a head with those octets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener, listener.accept()[0] as s:
            s.settimeout(PATIENCE)
            head = b""
            while b"\r\n\r\n" not in head:
                head += s.recv(65536)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)[1]
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
            s.sendall(octets.replace(b"ACCEPT", accept))
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):  # closed with octets unread, it would be a reset
                pass

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


class WrongServers(unittest.TestCase):
    OPEN = lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Accept: ACCEPT", "Sec-WebSocket-Protocol: sip")

    def told(self, octets, *what):
        r = connect(f"ws://127.0.0.1:{answering(octets)}")
        self.assertEqual(r.returncode, 2, r.stderr)
        for w in what:
            self.assertIn(w, r.stderr)

    def test_no_upgrade(self):
        self.told(lines("HTTP/1.1 404 Not Found"), "http-status", "404 Not Found")

    def test_accept(self):
        self.told(self.OPEN.replace(b"ACCEPT", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "http-accept")

    def test_subprotocol(self):
        self.told(self.OPEN.replace(b"Protocol: sip", b"Protocol: msrp"), "http-no-sip")

    def test_masked(self):
        self.told(self.OPEN + b"\x81\x81abcdx", "ws-masked", "RFC 6455 5.1")

    def test_lost(self):
        self.told(self.OPEN, "ws-lost")


@unittest.skipUnless(shutil.which("openssl"), "there is no program openssl")
class Tls(unittest.TestCase):
    def test_both(self):
        with tempfile.TemporaryDirectory() as tmp:
            cert = os.path.join(tmp, "cert.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", cert, "-out",
                            cert + ".crt", "-days", "2", "-subj", "/CN=x", "-addext",
                            "subjectAltName=IP:127.0.0.1,URI:sip:127.0.0.1"],
                           check=True, stderr=subprocess.DEVNULL)
            with open(cert, "ab") as f, open(cert + ".crt", "rb") as g:
                f.write(g.read())
            server = Server("--listen", "wss://127.0.0.1:0", "--cert", cert)
            url = server.process.stdout.readline().split()[-1]
            good = connect("--options", "--ca", cert, url)
            self.assertEqual(good.returncode, 0, good.stderr)
            self.assertIn("SIP/2.0/WSS", good.stdout)
            self.assertIn("the web server 127.0.0.1: yes", good.stderr)
            self.assertIn("the SIP domain: yes", good.stderr)
            bad = connect(url)
            self.assertEqual(bad.returncode, 2)
            self.assertIn("the certificate: self-signed certificate", bad.stderr)
            self.assertEqual(connect("--any-cert", url).returncode, 0)
            plain = connect(url.replace("wss:", "ws:"))
            self.assertEqual(plain.returncode, 2)
            self.assertEqual(server.end()[0], 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    SIPWS = os.path.join(sys.argv.pop(), "sipws")
    unittest.main(verbosity=1, warnings="ignore")
