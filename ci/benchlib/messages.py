"""What is parsed: the messages of corpus/bench, variations of them, and inputs made to cost much.

A branch predictor learns a small set of messages by heart within a few passes. A variation keeps a
message's meaning and changes what a parser branches on: lengths of names and tokens, numbers, hosts,
the order of header fields, the forms of their names, which optional fields there are.
"""

import random
import re
import struct

COMPACT = {"via": "v", "from": "f", "to": "t", "call-id": "i", "contact": "m", "content-type": "c",
           "content-length": "l", "subject": "s"}
OPTIONAL = {"user-agent", "server", "allow", "supported", "date", "organization", "accept",
            "accept-language", "accept-encoding", "allow-events", "subject", "priority", "min-se",
            "content-language", "alert-info", "p-asserted-identity"}
USERS = ("ada bo chidi dalia emeka fen giulia hana ines jun karim lena milosz nuria ottoline pim "
         "quinn rashida soren tomasz ulla viktoria wim xenia yusuf zofia").split()
LABELS = ("a bay cove delta east fjord gw harbour inlet jetty kade lagoon marina north ocean pier "
          "quay reef shore tide ulan voice west xs yard zee").split()
TOPS = ("example", "invalid", "test", "example.org", "example.com", "example.net")
TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PRODUCTS = ("Lantern", "Quay", "Tern", "Osprey", "Mooring", "Lighthouse", "Kite")


def split(message):
    """(start line, [header line], body); no header of these messages is folded."""
    head, _, body = message.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    return start, lines, body


def join(start, lines, body):
    return "\r\n".join([start, *lines, "", ""]).encode() + body


def token(r, low, high):
    return "".join(r.choice(TOKEN) for _ in range(r.randint(low, high)))


def number(r, digits):
    return str(r.randint(10 ** (digits - 1), 10 ** digits - 1))


def host(r):
    return ".".join([*(r.choice(LABELS) + r.choice(("", "", number(r, 1), number(r, 2)))
                       for _ in range(r.randint(1, 3))), r.choice(TOPS)])


class Words:
    """New words for old ones: the same one within a message, another one in the next."""

    def __init__(self, r):
        self.r = r
        self.known = {}

    def of(self, old, make):
        if old not in self.known:
            self.known[old] = make()
        return self.known[old]

    def line(self, text):
        r = self.r
        text = re.sub(r"\b(?:[a-z0-9-]+\.)+(?:invalid|example\.(?:net|org|com))\b|\bexample\.(?:net|org|com)\b",
                      lambda m: self.of(m[0], lambda: host(r)), text)
        text = re.sub(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])",
                      lambda m: self.of(m[0], lambda: ".".join(str(r.randint(1, 254)) for _ in range(4))), text)
        text = re.sub(r"(?<=sip:)[a-z]+(?=@)|(?<=username=\")[a-z]+",
                      lambda m: self.of(m[0], lambda: r.choice(USERS)), text)
        text = re.sub(r"(?<=z9hG4bK)[\w.-]+|(?<=;tag=)[\w.]+|(?<=did=)[\w.]+|(?<=ftag=)\w+",
                      lambda m: self.of(m[0], lambda: token(r, 4, 24)), text)
        text = re.sub(r"(?<=nonce=\")\w+|(?<=opaque=\")\w+",
                      lambda m: self.of(m[0], lambda: token(r, 8, 40)), text)
        text = re.sub(r"(?<=response=\")[0-9a-f]{32}",
                      lambda m: "".join(r.choice("0123456789abcdef") for _ in range(32)), text)
        text = re.sub(r"(?<=urn:uuid:)[0-9a-f-]{36}",
                      lambda m: self.of(m[0], lambda: re.sub(r"[0-9a-f]", lambda _: r.choice("0123456789abcdef"), m[0])), text)
        text = re.sub(r"(?<=rport=)\d+|(?<=\w:)\d{4,5}(?=[ ;>,]|$)",
                      lambda m: self.of(m[0], lambda: str(r.randint(1024, 65535))), text)
        return re.sub(r"(?<=expires=)\d+", lambda m: number(r, r.randint(2, 5)), text)


def vary(message, r):
    start, lines, body = split(message)
    words = Words(r)
    out = []
    cseq = number(r, r.randint(1, 9))
    for line in lines:
        name, _, value = line.partition(": ")
        low = name.lower()
        if low in OPTIONAL and r.random() < 0.3:
            continue
        value = words.line(value)
        if low in ("call-id", "i"):
            value = token(r, 6, 32) + r.choice(("", "@" + host(r)))
        elif low == "cseq":
            value = f"{cseq} {value.split()[1]}"
        elif low in ("user-agent", "server"):
            value = f"{r.choice(PRODUCTS)}/{r.randint(0, 30)}.{r.randint(0, 99)}" + r.choice(
                ("", f" ({r.choice(LABELS)}; {r.choice(LABELS)} {r.randint(1, 9)})"))
        elif low in ("allow", "supported", "accept", "allow-events"):
            items = value.split(", ")
            r.shuffle(items)
            value = r.choice((", ", ",")).join(items[:r.randint(1, len(items))])
        elif low in ("expires", "session-expires", "min-se"):
            value = re.sub(r"^\d+", lambda _: number(r, r.randint(2, 5)), value)
        elif low in ("from", "to", "f", "t"):
            value = re.sub(r'^"[^"]*" |^(?=<)', lambda _: r.choice(
                ("", "", f'"{r.choice(USERS).title()} {r.choice(LABELS).title()}" ',
                 f"{r.choice(USERS).title()} ")), value)
        if low in COMPACT and r.random() < 0.08:
            name = COMPACT[low]
        elif r.random() < 0.04:
            name = name.lower()
        out.append((name, value))
    if r.random() < 0.4:
        out.append((f"X-{r.choice(LABELS).title()}-{r.choice(('Id', 'Info', 'Trace'))}", token(r, 3, 40)))
    # Any order of names, but among those of one name the order stays.
    names = [n for n, _ in out]
    r.shuffle(names)
    left = {}
    for n, v in out:
        left.setdefault(n.lower(), []).append(v)
    ordered = [(n, left[n.lower()].pop(0)) for n in names]
    if body:
        body = re.sub(rb"\d{3,}", lambda m: number(r, len(m[0]) + r.randint(0, 2)).encode(), body)
    ordered = [(n, str(len(body)) if n.lower() in ("content-length", "l") else v) for n, v in ordered]
    return join(words.line(start), [f"{n}: {v}" for n, v in ordered], body)


def variations(messages, count, seed=1):
    r = random.Random(seed)
    return [vary(messages[i % len(messages)], r) for i in range(count)]


def write(path, messages):
    """For sipws-bench: each message behind its length in four octets."""
    with open(path, "wb") as f:
        for m in messages:
            f.write(struct.pack("<I", len(m)) + m)


# ---- cost -----------------------------------------------------------------------------------------

FRAME = ("OPTIONS sip:pier.example.net SIP/2.0", "Via: SIP/2.0/WSS q81m2.invalid;branch=z9hG4bKo1",
         "Max-Forwards: 70", "From: <sip:mira@example.net>;tag=o2", "To: <sip:pier.example.net>",
         "Call-ID: o3", "CSeq: 1 OPTIONS")


def request(*lines):
    return join(FRAME[0], [*FRAME[1:], *lines], b"")


def lists_of_params(count, param):
    """A Contact list, as many parameters in each element as an element may have."""
    elements = []
    for first in range(0, count, 64):
        elements.append("<sip:a>" + "".join(";" + param(i) for i in range(first, min(count, first + 64))))
    return "Contact: " + ",".join(elements)


def adversaries():
    """[(name, whether it is a sound message, message)]: inputs that have cost parsers much."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

    def short(i):
        return alphabet[i % 36] + alphabet[i // 36 % 36]

    deep = "(" * 16 + "x" + ")" * 16
    return [
        ("20,000 header fields", True, request(*(f"X-{i}: {i}" for i in range(20000)))),
        ("20,000 header fields of five octets", True, request(*("q:y" for _ in range(20000)))),
        ("20,000 empty header fields", True, request(*("q:" for _ in range(20000)))),
        ("20,000 parameters", True, request(lists_of_params(20000, lambda i: f"p{i}={i}"))),
        ("20,000 parameters of three octets", True, request(lists_of_params(20000, short))),
        ("20,000 parameters that differ in the middle", True,
         request(lists_of_params(20000, lambda i: f"parameter{short(i)}parameter"))),
        ("20,000 parameters of one element", False,
         request("Contact: <sip:a>" + "".join(f";p{i}" for i in range(20000)))),
        ("20,000 URI parameters", True,
         request("Record-Route: " + ",".join("<sip:a" + "".join(f";{short(i)}" for i in range(64)) + ">"
                                       for _ in range(313)))),
        ("10,000 Via elements", True,
         request("Via: " + ",".join("SIP/2.0/UDP a;branch=z9hG4bK1" for _ in range(10000)))),
        ("10,000 Via elements of 13 octets", True,
         request("Via: " + ",".join("SIP/2.0/UDP a" for _ in range(10000)))),
        ("10,000 Via fields", True, request(*("v:SIP/2.0/UDP a" for _ in range(10000)))),
        ("50,000 folds", True, request("Subject: a" + "\r\n a" * 50000)),
        ("50,000 folds in a field that is not known", True, request("Q: a" + "\r\n a" * 50000)),
        ("50,000 folds between elements", True, request("Allow: A" + "\r\n ,A" * 50000)),
        ("comments 16 deep", True, request("User-Agent: a" + (" " + deep) * 5000)),
        ("comments deeper than the limit", False, request("User-Agent: a " + "(" * 100000)),
        ("a value of 1 MB", True, request("Q: " + "a" * 1000000)),
        ("a Subject of 1 MB", True, request("Subject: " + "a" * 1000000)),
        ("a Subject of 1 MB of words of one letter", True, request("Subject: a" + " a" * 500000)),
        ("a token of 1 MB", True, request("Supported: " + "a" * 1000000)),
        ("a user of 1 MB", True, request("Record-Route: <sip:" + "a" * 1000000 + "@b>")),
        ("a Request-URI of 1 MB", True,
         join("OPTIONS sip:" + "a" * 1000000 + "@b SIP/2.0", list(FRAME[1:]), b"")),
        ("100,000 quotes", True, request("Q: " + '"' * 100000)),
        ("50,000 quoted strings", True,
         request(lists_of_params(20000, lambda i: f'{short(i)}=""'))),
        ("100,000 quoted quotes", True, request('Contact: "' + '\\"' * 100000 + '" <sip:a>')),
        ("a quoted string that does not end", False, request('Contact: "' + "a" * 100000)),
        ("100,000 escapes", True, request("Record-Route: <sip:" + "%41" * 100000 + "@b>")),
        ("100,000 commas", False, request("Allow: A" + "," * 100000)),
        ("50,000 list elements", True, request("Allow: A" + ",A" * 49999)),
        ("100,000 line feeds", False, request("Q: a" + "\n" * 100000)),
        ("100,000 carriage returns", False, request("Q: a" + "\r" * 100000 + "b")),
        ("white space of 1 MB", True, request("Q:" + " " * 1000000 + "a")),
        ("a host of 1 MB", True, request("Record-Route: <sip:a" + ".a" * 500000 + ">")),
        ("UTF-8 of 1 MB", True, request("Subject: " + "\u00e9" * 500000)),
    ]


def scaling():
    """[(octets, message)]: one shape, from 1 KB to 256 KB: lists that grow, as routes do."""
    out = []
    for size in (1, 4, 16, 64, 256):
        lines = []
        while len(request(*lines)) < size * 1024:
            i = len(lines)
            lines.append(f"Via: SIP/2.0/WSS h{i % 97}.example.net;branch=z9hG4bKscale{i % 89}" if i % 2
                         else f"Record-Route: <sip:p{i % 83}.example.net;transport=ws;lr>")
        m = request(*lines)
        out.append((len(m), m))
    return out
