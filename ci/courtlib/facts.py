"""What the page shows, from the lines of sipws-diff: one object that becomes JSON."""

import base64
import hashlib
import re

from .ask import witness_of

WHOLE = 1 << 16  # octets of a witness that the page holds; of a larger one, those around the mark

# Which header fields a row is about, with their compact forms.
FIELDS = {"via": "via|v", "vias": "via|v", "from": "from|f", "to": "to|t", "contact": "contact|m",
          "contacts": "contact|m", "call-id": "call-id|i", "content-length": "content-length|l",
          "route": "route", "routes": "route", "record-route": "record-route",
          "record-routes": "record-route", "cseq": "cseq", "subject": "subject|s"}
START = ("method", "request-uri", "status")
MATTERS = ("smuggling", "identity", "denial", "interop")
COUNTED = "DTRCHS"  # cells that count as a deviation


def cells(cluster, names, answers):
    """One letter for each peer, and for a split the number of the reading that each has.

    = agrees with ref   r refuses as ref does   . no opinion   - absent
    D differs   T takes what ref refuses   R refuses what ref takes   C crashes   H hangs   S is split
    d, q: another reading, or a refusal, that belongs to another cluster
    """
    ref = answers.get("ref", {})
    ref_takes = ref.get("verdict") == "accept"
    row = cluster["field"]
    want = ref.get("rows", {}).get(row)
    codes, groups, seen = [], [], []
    for name in names:
        a = answers.get(name, {"verdict": "absent"})
        mine, verdict, group = name in cluster["peers"], a["verdict"], ""
        have = a.get("rows", {}).get(row)
        if verdict == "absent":
            code = "-"
        elif verdict in ("crash", "hang"):
            code = verdict[0].upper()
        elif mine and cluster["kind"].startswith("split on "):
            reading = cluster["readings"].get(name)
            if reading not in seen:
                seen.append(reading)
            code, group = "S", seen.index(reading)
        elif mine:
            code = {"takes": "T", "refuses": "R"}.get(re.split("[: ]", cluster["kind"])[0], "D")
        elif verdict == "refuse":
            code = "q" if ref_takes else "r"
        elif row == "verdict" or have == want:
            code = "=" if row == "verdict" or have is not None else "."
        else:
            code = "." if have is None or want is None else "d"
        codes.append(code)
        groups.append(group)
    return "".join(codes), groups if seen else None


def line_of(octets, row):
    """(begin, end) of the line that a row is about, or None."""
    if row in START:
        end = octets.find(b"\n")
        return (0, end if end >= 0 else len(octets))
    name = FIELDS.get(row) or FIELDS.get(row.split(" ")[0]) or re.escape(row)
    found = re.search(rb"(?im)^(?:%s)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*" % name.encode(), octets)
    return found.span() if found else None


def mark(cluster, answers, octets):
    """Where the decision falls: {"at": offset or None, "line": (begin, end) or None}."""
    reason = answers.get("ref", {}).get("reason") or ""
    if found := re.search(r" at (\d+)$", reason):
        return {"at": int(found[1]), "line": None}
    if cluster["speaks"] != "sip":
        return {"at": None, "line": None}
    row, readings = cluster["field"], cluster["readings"]
    line = line_of(octets, row)
    if row == "header names" and (name := re.match(r"lacks (\S+)$", cluster["kind"])):
        line = line_of(octets, name[1])
    if not line:
        return {"at": None, "line": None}
    base = readings.get("ref") or next((readings[p] for p in cluster.get("against", []) if p in readings), None)
    other = next((readings[p] for p in cluster["peers"] if p in readings), None)
    at = None
    if base and other and base != "(none)":
        # The first octet that the other reading lacks or has otherwise.
        where = octets.lower().find(base.lower().encode(), *line)
        same = next((i for i, (a, b) in enumerate(zip(base, other)) if a != b),
                    min(len(base), len(other)))
        at = where + same if where >= 0 and where + same < line[1] else None
    return {"at": at, "line": line}


def ident(*parts):
    """Stable: of what makes a cluster or a coalition what it is."""
    words = re.sub(r"[^a-z0-9]+", "-", " ".join(parts[:2]).lower()).strip("-")[:60]
    return f"{words}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:6]}"


def kept(name, root):
    """Whether a witness lies in the checkout under this name."""
    path = name.rsplit(":", 1)[0] if ".json:" in name else name
    return not path.startswith(("/", "build/")) and ".." not in path and (root / path).is_file()


def readings(answers):
    """Who said what: {"answers": [{"peer", "verdict", "reason", "reads"}], "rows": {row: [values, of each
    answer which of them or -1]}}, or 0 where all say the same: so the page has each value once."""
    present = {p: a for p, a in answers.items() if a["verdict"] != "absent"}
    rows = {}
    for name in dict.fromkeys(row for a in present.values() for row in a.get("rows", {})):
        said = [a.get("rows", {}).get(name) for a in present.values()]
        values = [v for v in dict.fromkeys(said) if v is not None]
        rows[name] = [values, [-1 if v is None else values.index(v) for v in said] if len(set(said)) > 1 else 0]
    return {"rows": rows,
            "answers": [{"peer": p, "verdict": a["verdict"], "reads": "rows" in a} |
                        ({"reason": a["reason"]} if "reason" in a else {}) for p, a in present.items()]}


class Facts:
    """Puts the object together: add clusters and coalitions, then take `all`."""

    def __init__(self, lines, quirks, sentences, errors, root):
        self.lines, self.errors, self.sentences, self.root = lines, errors, sentences, root
        self.quirks = {q["id"]: q for q in quirks}
        self.witnesses, self.rules = {}, {}
        self.peers = self._peers()

    def _peers(self):
        found = {s: [] for s in ("sip", "ws", "http")}
        for p in self.lines.peers:
            found[p["layer"]].append({"name": p["peer"], "version": p.get("version"),
                                      "absent": p.get("absent")})
        for c in self.lines.clusters:  # lines from elsewhere may not say who there is
            known = {p["name"] for p in found[c["speaks"]]}
            for name, a in self.lines.answers[witness_of(c)].items():
                if name not in known:
                    found[c["speaks"]].append({"name": name, "version": a.get("version"),
                                               "absent": a.get("reason") if a["verdict"] == "absent" else None})
        return found

    def rule(self, rfc, error):
        """The sentence that decides, in our own words; the key of it."""
        key = f"{rfc}|{error or ''}"
        if key not in self.rules:
            e = self.errors.get(error, {})
            self.rules[key] = {"rfc": rfc, "error": error, "sentence": self.sentences.get(rfc),
                               "meaning": e.get("meaning"), "why": e.get("why")}
        return key

    def witness(self, entry, marked, speaks):
        """Its octets and what everybody says of them, once for each witness and mark."""
        name, asked = entry["witness"], witness_of(entry)
        key = f"{asked}|{marked['at']}|{marked['line']}"
        if key in self.witnesses:
            return key
        octets, first = self.lines.octets[asked], 0
        if len(octets) > WHOLE:
            first = max(0, min((marked["at"] or 0) - WHOLE // 2, len(octets) - WHOLE))
        here = kept(name, self.root)
        self.witnesses[key] = {
            "name": name if here else "", "octets": base64.b64encode(octets[first:first + WHOLE]).decode(),
            "first": first, "size": len(octets), "at": marked["at"], "line": marked["line"],
            "command": f"build/bin/sipws-diff {'' if speaks == 'sip' else f'--{speaks} '}{quoted(name)}" if here else "",
            "speaks": speaks, **readings(self.lines.answers[asked])}
        return key

    def cluster(self, c):
        name, speaks = witness_of(c), c["speaks"]
        answers = self.lines.answers[name]
        quirk = self.quirks.get(c.get("quirk"), {})
        codes, groups = cells(c, [p["name"] for p in self.peers[speaks]], answers)
        error = c.get("error") or (re.match(r"(?:takes|split on) (\S+)$", c["kind"]) or [None, None])[1]
        rfc = c.get("rfc") or quirk.get("rfc") or self.errors.get(error, {}).get("rfc")
        return {
            "id": ident(c["field"], c["kind"], speaks, c["layer"], ",".join(c["peers"])),
            "speaks": speaks, "layer": c["layer"], "field": c["field"], "kind": c["kind"],
            "cells": codes, "groups": groups, "cases": c["cases"], "count": len(c["peers"]),
            "quirk": c.get("quirk"), "status": c.get("status") or quirk.get("status") or "new",
            "what": c.get("what") or quirk.get("what") or "",
            "right": c.get("right") or quirk.get("right") or "open",
            "matters": c.get("matters") or quirk.get("matters") or "open",
            "grammar": c.get("grammar"), "rule": self.rule(rfc, error) if rfc else None,
            "witness": self.witness(c, mark(c, answers, self.lines.octets[name]), speaks)}

    def coalition(self, c):
        name = witness_of(c)
        answers = self.lines.answers[name]
        marked = mark({"speaks": "sip", "field": c["field"], "kind": "", "peers": [c["second"]],
                       "against": [c["first"]], "readings": c["readings"]}, answers, self.lines.octets[name])
        return {k: c.get(k) for k in ("kind", "severity", "cause", "field", "first", "second", "ref",
                                      "attack", "decides", "rfc")} | {
            "id": ident(c["kind"], f"{c['first']} {c['second']}", c["field"], c["cause"]),
            "readings": {p: c["readings"].get(p) for p in (c["first"], c["second"])},
            "witness": self.witness(c, marked, "sip"), "size": len(self.lines.octets[name])}

    def all(self, about):
        clusters = [self.cluster(c) for c in self.lines.clusters]
        coalitions = [self.coalition(c) for c in self.lines.coalitions]
        keys = list(self.witnesses)
        for c in clusters + coalitions:
            c["witness"] = keys.index(c["witness"])
        rules = list(self.rules)
        for c in clusters:
            c["rule"] = rules.index(c["rule"]) if c["rule"] else None
        return about | {
            "peers": self.peers, "clusters": clusters, "coalitions": coalitions,
            "witnesses": list(self.witnesses.values()), "rules": list(self.rules.values()),
            "unseen": [{k: q.get(k) for k in ("id", "what", "peers")} for q in self.lines.unseen],
            "faults": [{"file": f["file"], "grammar": f.get("grammar", "")} for f in self.lines.faults]}


def quoted(word):
    return word if re.fullmatch(r"[\w./:@%+=,-]+", word) else "'" + word.replace("'", "'\\''") + "'"
