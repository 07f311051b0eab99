"""Kamailio as a peer: a live server (live.py, kamailio/kamailio.cfg), which logs what its script's
pseudo-variables say of a message that came over a WebSocket.

A message that the script never saw was refused, for which Kamailio ends the connection."""
import pathlib
import re
import subprocess
import sys

import live
import peer

RUN = pathlib.Path(__file__).resolve().parent.parent / "kamailio" / "run"
WHY = re.compile(r"\]: ((?!receive_msg|get_hdr_field|parse_headers)\w+\(\): [ -~]*)")


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


def ask(message):
    """It gives the memory of connections back late: where there is none left, a new server is asked."""
    global server
    alive = server.ask(message)
    if alive and b"shared memory" in server.log:
        server.end()
        server = live.Server(RUN)
        alive = server.is_there and server.ask(message)
    if not alive:
        sys.exit("error: Kamailio ended: " + (re.findall(r"ALERT: .*signal.*", server.log.decode(errors="replace")) or ["it says nothing"])[0])


def read(message):
    ask(message)
    o = {"fields": []}
    for line in re.findall(rb"READS (.*) \n", server.log):
        what, *parts = line.decode().split(" ")
        parts = [bytes.fromhex(p) for p in parts]
        if what == "field":
            o["fields"].append({"name": peer.octets(parts[0]), "raw": peer.octets(parts[1])})
        elif what != "via" or not all(parts[4:]):  # of nine Vias and more it is not told how many
            o[what] = READERS[what](*parts)
    if len(o) == 1:
        raise peer.Refused((WHY.findall(server.log.decode(errors="replace")) or ["its script never saw it"])[0], None)
    return o


version = subprocess.run([RUN, "--version"], capture_output=True, text=True)
if version.returncode:
    peer.absent(version.stderr.strip())
server = live.Server(RUN)
if not server.is_there:
    peer.absent("it does not start: " + server.log.decode(errors="replace")[-200:])
peer.serve("Kamailio", version.stdout.split()[2], read)
