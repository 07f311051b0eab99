"""tshark as a peer: its dissector for SIP (dissector.py).

It is a reader that people trust when two others disagree, and no stack: it refuses where it does not
take a message for SIP, or marks an error. It has no opinion on the body."""
import re
import shutil

import dissector
import peer

ERROR = 0x800000  # of an expert item
NO_FIELDS = {"Request-Line", "Status-Line", "Method", "Status-Code"}
NAMES = {"ETag": "SIP-ETag", "If_Match": "SIP-If-Match", "Suppress_If_Match": "Suppress-If-Match"}  # where its own are others


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
        via = {"host": f"[{host}]" if ":" in host and not host.startswith("[") else host}
        for key, name in (("transport", "Via_transport"), ("port", "Via_sent-by_port"), ("branch", "Via_branch")):
            values = items(sip, name)
            if len(values) in (0, len(hosts)):  # else it is not told which one lacks it
                via[key] = (number(values[i]) if key == "port" else values[i]) if values else None
        out.append(via)
    return out


def names(sip):
    for key, value in sip.items():
        name = key.removeprefix("sip_sip_")
        name = NAMES.get(name, name)
        if name != key and "_" not in name and name[:1].isupper() and name not in NO_FIELDS:
            # No value: it has some as numbers, which are not as they stand there.
            yield from [{"name": name}] * (len(value) if isinstance(value, list) else 1)
    for text in sip.get("text", []) if isinstance(sip.get("text"), list) else [sip["text"]] if "text" in sip else []:
        if isinstance(text, str) and ":" in text:
            # A label: it may be cut, and has escapes.
            name = text.removeprefix(" [truncated]").split(":")[0]
            yield {"name": re.sub(r"\\([tnr])", lambda m: "\t\n\r"["tnr".index(m[1])], name)}


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
    layers = tshark.ask(message)
    why = refused(layers) if layers else "larger than a packet that it reads"
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
tshark = dissector.Tshark("sip")
peer.serve("tshark", dissector.version(), read)
