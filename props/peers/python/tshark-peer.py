"""tshark as a peer: its dissector for SIP, on exported PDUs, so that no port or heuristics matter.

It is a reader that people trust when two others disagree, and no stack: it refuses where it does not
take a message for SIP, or marks an error. It has no opinion on the body."""
import json
import shutil
import struct
import subprocess

import peer

ERROR = 0x800000  # of an expert item
FILLER = 1 << 16  # more than what it reads at once
LARGEST = 1 << 18  # octets of a packet in a capture
NO_FIELDS = {"Request-Line", "Status-Line", "Method", "Status-Code"}


def tag(number, value):
    value += bytes(-len(value) % 4)
    return struct.pack(">HH", number, len(value)) + value


HEAD = tag(12, b"sip") + tag(0, b"")  # the dissector's name
OTHER = tag(12, b"data") + tag(0, b"")


def record(pdu):
    return struct.pack("<IIII", 0, 0, len(pdu), len(pdu)) + pdu


class Tshark:
    """One that runs, reads a capture from its standard input, and gives a line for each packet."""

    def __init__(self):
        self.run = subprocess.Popen(
            ["tshark", "-l", "-n", "-r", "-", "-T", "ek", "-J", "sip"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.run.stdin.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 21, 252))

    def line(self):
        while line := self.run.stdout.readline():
            packet = json.loads(line)
            if "layers" in packet:
                return packet["layers"]
        raise SystemExit("error: tshark ended")

    def ask(self, message):
        self.run.stdin.write(record(HEAD + message) + record(OTHER + bytes(FILLER)))
        self.run.stdin.flush()
        layers = self.line()
        self.line()  # the filler's
        return layers


def items(sip, name):
    """All values of a field."""
    value = sip.get("sip_sip_" + name, [])
    return value if isinstance(value, list) else [value]


def first(sip, name):
    return next(iter(items(sip, name)), None)


def number(text):
    return int(text) if text is not None and text.isdecimal() else text


def uri(text):
    return {"text": text} if text is not None else None


def addresses(sip, name, member):
    return [{"uri": uri(text)} for text in items(sip, member)] or ["*"] * (items(sip, name) == ["*"])


def vias(sip):
    hosts, out = items(sip, "Via_sent-by_address"), []
    for i, host in enumerate(hosts):
        via = {"host": host}
        for key, name in (("transport", "Via_transport"), ("port", "Via_sent-by_port"), ("branch", "Via_branch")):
            values = items(sip, name)
            if len(values) in (0, len(hosts)):  # else it is not told which one lacks it
                via[key] = (number(values[i]) if key == "port" else values[i]) if values else None
        out.append(via)
    return out


def names(sip):
    for key, value in sip.items():
        name = key.removeprefix("sip_sip_")
        if name != key and "_" not in name and name[:1].isupper() and name not in NO_FIELDS:
            # No value: it has some as numbers, which are not as they stand there.
            yield from [{"name": name}] * (len(value) if isinstance(value, list) else 1)
    for text in sip.get("text", []) if isinstance(sip.get("text"), list) else [sip["text"]] if "text" in sip else []:
        if isinstance(text, str) and ":" in text:
            yield {"name": text.split(":")[0]}


def refused(layers):
    sip = layers.get("sip")
    if sip is None:
        return "it is no SIP"
    experts = sip.get("_ws_expert", [])
    for e in experts if isinstance(experts, list) else [experts]:
        if int(e.get("_ws_expert__ws_expert_severity", 0)) >= ERROR:
            return str(e.get("_ws_expert__ws_expert_message"))
    return "malformed" if any("malformed" in key for key in layers) else None


def read(message):
    if len(HEAD + message) > LARGEST:
        raise peer.Refused("larger than a packet that it reads", None)
    layers = tshark.ask(message)
    why = refused(layers)
    if why:
        raise peer.Refused(why, None)
    sip = layers["sip"]
    reading = {"fields": list(names(sip)), "via": vias(sip), "call-id": first(sip, "Call-ID"),
               "content-length": number(first(sip, "Content-Length")), "contact": addresses(sip, "Contact", "contact_uri"),
               "route": addresses(sip, "Route", "Route_uri"), "record-route": addresses(sip, "Record-Route", "Record-Route_uri")}
    if status := first(sip, "Status-Code"):
        reading["response"] = {"status": number(status)}
    else:
        reading["request"] = {"method": first(sip, "Method") or "", "uri": uri(first(sip, "r-uri"))}
    for who in ("from", "to"):
        reading[who] = {"uri": uri(first(sip, who + "_addr")), "tag": first(sip, who + "_tag")}
    cseq = first(sip, "CSeq_seq")
    reading["cseq"] = {"number": number(cseq), "method": first(sip, "CSeq_method") or ""} if cseq else None
    return reading


if not shutil.which("tshark"):
    peer.absent("there is no tshark here: apt-get install tshark")
tshark = Tshark()
peer.serve("tshark", subprocess.run(["tshark", "--version"], capture_output=True, text=True).stdout.split()[2], read)
