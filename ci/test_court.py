#!/usr/bin/env python3
"""Tests of ci/court: what it makes of the lines of sipws-diff and, with --page, the page in a
headless Chromium: that it is drawn, its filter, its keys, its speed with 2,000 clusters, that hostile
octets stay text, and that it asks for nothing.

    ci/test_court.py             what needs no browser
    ci/test_court.py --page      the page; exit status 77 where there is no Chromium
"""

import sys

sys.dont_write_bytecode = True

import base64
import json
import os
import re
import subprocess
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

CI = Path(__file__).resolve().parent
ROOT = CI.parent
sys.path.insert(0, str(CI))

from courtlib import ask, browser, facts, page

QUIRKS = json.loads((ROOT / "props/peers/quirks.json").read_text())["quirks"]
SENTENCES = json.loads((ROOT / "props/peers/sentences.json").read_text())
LIMIT = 200  # milliseconds of CPU time to draw, and to filter, 2,000 clusters

MESSAGE = "OPTIONS sip:a@example.org SIP/2.0\r\nVia: SIP/2.0/WS b.invalid;branch=z9hG4bKb\r\nCall-ID: c\r\n\r\n"
HOSTILE = "</script><img src=x onerror='window.hurt=1'><script>window.hurt=2</script><!--"


def answer(file, peer, verdict="accept", reason=None, **rows):
    o = {"file": file, "peer": peer, "version": "1.0", "verdict": verdict}
    return o | ({"reason": reason} if reason else {}) | ({"rows": rows} if verdict == "accept" else {})


def lines_of(objects):
    lines = ask.Lines()
    lines.take("\n".join(json.dumps(o) for o in objects), "the test")
    return lines


def made(objects, quirks=(), about=None):
    lines = lines_of(objects)
    for c in lines.clusters + lines.coalitions:
        lines.octets[c["witness"]] = ask.octets(c["message"])
    ask.complete(lines, "/nobody/is/asked", print)
    f = facts.Facts(lines, list(quirks), {"3261 7.3.1": "One sentence."},
                    {"line-end": {"rfc": "3261 7", "meaning": "CRLF ends a line.", "why": "Because."}}, ROOT)
    return f.all(about or {"when": "2001-01-01", "what": "a test", "commit": "abc def", "left": 0})


def small():
    """Two clusters of three peers, one of which is absent."""
    via = {"speaks": "sip", "layer": "field", "field": "via branch", "kind": "cut at the end", "peers": ["x"], "against": ["ref"],
           "cases": 3, "witness": "one", "octets": len(MESSAGE), "message": MESSAGE,
           "readings": {"ref": "z9hG4bKb", "x": "z9hG"}, "quirk": "q1"}
    taken = {"speaks": "sip", "layer": "message", "field": "verdict", "kind": "takes line-end", "peers": ["x"], "against": ["ref"],
             "cases": 1, "witness": "two", "octets": 3, "message": {"hex": "ff0a0d"},
             "readings": {"ref": "refuse: line-end at 1", "x": "accept"}}
    frames = {"speaks": "ws", "layer": "frames", "field": "close", "kind": "less", "peers": ["w"], "against": ["ref"], "cases": 1,
              "witness": "three", "octets": 2, "message": {"hex": "8180"}, "readings": {"ref": "1007", "w": "1002"}}
    chain = {"kind": "body", "severity": 5, "cause": "valid", "field": "via branch", "first": "x", "second": "y",
             "readings": {"x": "z9hG", "y": "z9hG4bKb"}, "rfc": "3261 7.3.1", "decides": "Decided.", "attack": "An attack.",
             "witness": "one", "message": MESSAGE}
    quirk = {"id": "q1", "what": "It cuts.", "rfc": "3261 7.3.1", "right": "ref", "matters": "smuggling", "status": "reviewed"}
    peers = [{"peer": n, "layer": l, "version": "1.0"} for n, l in (("ref", "sip"), ("x", "sip"), ("y", "sip"), ("ref", "ws"), ("w", "ws"))]
    return made(peers + [{"peer": "z", "layer": "sip", "absent": "there is no z here"},
                         answer("one", "ref", **{"via branch": "z9hG4bKb", "method": "OPTIONS"}),
                         answer("one", "x", **{"via branch": "z9hG", "method": "OPTIONS"}),
                         answer("one", "y", **{"via branch": "z9hG4bKb", "method": "OPTIONS "}),
                         answer("two", "ref", "refuse", "line-end at 1"), answer("two", "x"), answer("two", "y", "refuse", "no"),
                         answer("three", "ref", "refuse"), answer("three", "w", "refuse"),
                         {"cluster": via}, {"cluster": taken}, {"cluster": frames}, {"coalition": chain}], [quirk])


def many(n):
    """n clusters of 13 peers, with octets and readings of a usual size."""
    names = ["ref"] + [f"stack-{i}" for i in range(12)]
    out = [{"peer": p, "layer": "sip", "version": "1.2.3"} for p in names]
    for i in range(n):
        file, differ = f"case{i}", names[1 + i % 12:4 + i % 12]
        out.append({"cluster": {"speaks": "sip", "layer": ("field", "uri", "message")[i % 3], "field": f"field {i % 40}", "kind": f"kind {i}",
                                "peers": differ, "against": ["ref"], "cases": i, "witness": file, "octets": 400,
                                "message": MESSAGE.replace("Call-ID", f"X-{i}: {'x' * 200}\r\nCall-ID"),
                                "what": f"What happens in {i}", "rfc": "3261 7.3.1", "right": "ref", "status": "reviewed",
                                "matters": ("smuggling", "identity", "denial", "interop")[i % 4], "quirk": f"q{i}",
                                "readings": {p: "b" if p in differ else "a" for p in names}}})
        out += [answer(file, p, **{f"field {i % 40}": "b" if p in differ else "a", "method": "OPTIONS", "from uri": "sip:a@example.org"})
                for p in names]
    return made(out)


def hostile():
    """The same words wherever a peer, a witness or a quirk may say something."""
    cluster = {"speaks": "sip", "layer": "field", "field": f"subject {HOSTILE}", "kind": f"other {HOSTILE}", "peers": ["x"], "against": ["ref"],
               "cases": 1, "witness": f"w{HOSTILE}", "octets": 9, "message": f"OPTIONS {HOSTILE}\r\n\r\n",
               "readings": {"ref": "a", "x": HOSTILE}, "grammar": HOSTILE, "what": HOSTILE, "rfc": f"3261 {HOSTILE}", "quirk": HOSTILE,
               "right": "ref", "matters": "identity", "status": "reviewed"}
    chain = {"kind": HOSTILE, "severity": 1, "cause": HOSTILE, "field": HOSTILE, "first": "x", "second": "ref", "attack": HOSTILE,
             "decides": HOSTILE, "rfc": "1 2", "readings": {"x": HOSTILE, "ref": HOSTILE}, "witness": cluster["witness"], "message": cluster["message"]}
    return made([{"peer": "ref", "layer": "sip", "version": HOSTILE}, {"peer": "x", "layer": "sip", "version": HOSTILE},
                 {"peer": "z", "layer": "sip", "absent": HOSTILE}, {"file": HOSTILE, "fault": "ref", "grammar": HOSTILE},
                 answer(cluster["witness"], "ref", **{cluster["field"]: "a"}), answer(cluster["witness"], "x", **{cluster["field"]: HOSTILE}),
                 {"cluster": cluster}, {"coalition": chain}], about={"when": HOSTILE, "what": HOSTILE, "commit": HOSTILE, "left": 0})


# ---- without a browser ----------------------------------------------------------------------------

class Facts(unittest.TestCase):
    def test_cells(self):
        c = {"field": "to tag", "kind": "other", "peers": ["b"], "readings": {"ref": "1", "b": "2"}}
        said = {"ref": answer("f", "ref", **{"to tag": "1"}), "a": answer("f", "a", **{"to tag": "1"}), "b": answer("f", "b", **{"to tag": "2"}),
                "c": answer("f", "c", **{"to tag": "3"}), "d": answer("f", "d"), "e": answer("f", "e", "refuse", "no"),
                "f": answer("f", "f", "crash", "signal 11"), "g": answer("f", "g", "absent", "not here")}
        self.assertEqual(facts.cells(c, ["ref", "a", "b", "c", "d", "e", "f", "g", "unknown"], said), ("==Dd.qC--", None))

    def test_cells_of_verdicts(self):
        said = {"ref": answer("f", "ref", "refuse", "lws at 3"), "a": answer("f", "a"), "b": answer("f", "b", "refuse"),
                "c": answer("f", "c", "hang", "no answer")}
        takes = {"field": "verdict", "kind": "takes lws", "peers": ["a"], "readings": {}}
        self.assertEqual(facts.cells(takes, ["ref", "a", "b", "c"], said)[0], "rTrH")
        said["ref"], said["b"] = answer("f", "ref"), answer("f", "b", "refuse", "no")
        refuses = {"field": "verdict", "kind": "refuses: no", "peers": ["b"], "readings": {}}
        self.assertEqual(facts.cells(refuses, ["ref", "a", "b"], said)[0], "==R")

    def test_cells_of_a_split(self):
        said = {"ref": answer("f", "ref", "refuse", "quote at 3")} | {p: answer("f", p, tag=t) for p, t in (("a", "1"), ("b", "2"), ("c", "1"))}
        split = {"field": "tag", "kind": "split on quote", "peers": ["a", "b", "c"], "readings": {"a": "1", "b": "2", "c": "1"}}
        self.assertEqual(facts.cells(split, ["ref", "a", "b", "c"], said), ("rSSS", ["", 0, 1, 0]))

    def test_mark(self):
        octets = b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/WS b;branch=z9x\r\nTo: t\r\n\r\n"
        c = {"speaks": "sip", "field": "via branch", "kind": "cut at the end", "peers": ["p"], "readings": {"ref": "z9x", "p": "z9"}}
        marked = facts.mark(c, {"ref": answer("f", "ref")}, octets)
        self.assertEqual(octets[marked["at"]:marked["at"] + 1], b"x")
        self.assertEqual(octets[slice(*marked["line"])], b"v: SIP/2.0/WS b;branch=z9x\r")
        refused = facts.mark(c, {"ref": answer("f", "ref", "refuse", "token at 7")}, octets)
        self.assertEqual(refused, {"at": 7, "line": None})
        lacks = c | {"field": "header names", "kind": "lacks to", "readings": {}}
        self.assertEqual(octets[slice(*facts.mark(lacks, {"ref": answer("f", "ref")}, octets)["line"])], b"To: t\r")

    def test_identity_is_stable_and_of_all_parts(self):
        self.assertEqual(facts.ident("a b", "c: d", "sip"), facts.ident("a b", "c: d", "sip"))
        self.assertNotEqual(facts.ident("a b", "c: d", "sip"), facts.ident("a b", "c: d", "ws"))
        self.assertRegex(facts.ident("a <b>", "c: d", "sip"), r"^a-b-c-d-[0-9a-f]{6}$")

    def test_rules_and_quirks(self):
        f = small()
        via, taken, frames = f["clusters"]
        self.assertEqual((via["what"], via["matters"], via["status"]), ("It cuts.", "smuggling", "reviewed"))
        self.assertEqual(f["rules"][via["rule"]]["sentence"], "One sentence.")
        self.assertEqual((taken["status"], taken["matters"], f["rules"][taken["rule"]]["meaning"]), ("new", "open", "CRLF ends a line."))
        self.assertIsNone(frames["rule"])
        self.assertEqual(via["cells"], "=D=-")
        self.assertEqual(f["peers"]["sip"][3]["absent"], "there is no z here")

    def test_witness_of_the_checkout_is_named(self):
        self.assertTrue(facts.kept("corpus/vectors/sip.json:sip-options", ROOT))
        self.assertFalse(facts.kept("/etc/passwd", ROOT))
        self.assertFalse(facts.kept("../x", ROOT))

    def test_no_markup_of_others_in_the_page(self):
        self.assertNotIn("<", page.embedded(hostile()))
        whole = page.html(hostile())
        self.assertNotIn("<img", whole)
        self.assertEqual(whole.count("</script>"), 2)

    def test_every_quirk_has_its_sentence(self):
        # Of an error, sipws explains what it means.
        missing = sorted({q["rfc"] for q in QUIRKS if not q["kind"].startswith(("takes", "split on"))} - set(SENTENCES))
        self.assertEqual(missing, [], "write them into props/peers/sentences.json")

    def test_bred_witnesses_have_one_name_and_other_octets(self):
        c = {"speaks": "sip", "witness": "bred", "message": "a"}
        self.assertNotEqual(ask.witness_of(c), ask.witness_of(c | {"message": "b"}))
        self.assertNotEqual(ask.witness_of(c), ask.witness_of(c | {"speaks": "ws"}))
        self.assertEqual(ask.witness_of(c), ask.witness_of(c | {"witness": "other"}))

    def test_worst_coalitions(self):
        lines = ask.Lines()
        lines.coalitions = [{"severity": s, "witness": str(w), "message": str(w)} for s, w in ((1, 1), (5, 2), (5, 3), (3, 2), (4, 4))]
        self.assertEqual(ask.worst(lines, 2), 2)
        self.assertEqual([(c["severity"], c["witness"]) for c in lines.coalitions], [(5, "2"), (5, "3"), (3, "2")])

    def test_what_is_no_line(self):
        with self.assertRaisesRegex(ask.Trouble, "the test, line 2"):
            ask.Lines().take('{"peer":"a","layer":"sip"}\n[1', "the test")


class Readers(unittest.TestCase):
    """ci/peers."""

    @classmethod
    def setUpClass(cls):
        spec = spec_from_loader("peers", SourceFileLoader("peers", str(CI / "peers")))
        cls.peers = module_from_spec(spec)
        spec.loader.exec_module(cls.peers)

    def test_who_may_be_absent(self):
        names = self.peers.of_toolchains()
        self.assertLessEqual({"sipgo", "gorilla", "JAIN-SIP", "rsip", "tungstenite", "wsproto"}, names)
        self.assertFalse({"JsSIP", "parsip", "Net::SIP", "tshark", "ws", "websocket"} & names)

    def test_adapters_are_short(self):
        """One file of under 100 lines for each, as props/peers/README.md promises."""
        peers = ROOT / "props/peers"
        text = (peers / "peers.def").read_text()
        files = [peers / f"{name}.c" for name in re.findall(r"^LINKED\((\w+)", text, re.M)]
        files += [peers / name for name in re.findall(r"\$PEERS/(\S+?)\"", text)]
        files += list(peers.glob("go/*/main.go")) + list(peers.glob("rust/src/bin/*.rs")) + [peers / "java/JainSip.java"]
        self.assertGreater(len(files), 15)
        long = {f.name: n for f in files if (n := f.read_text().count("\n")) >= 100}
        self.assertEqual(long, {})

    def test_judged(self):
        everybody = [{"peer": f"s{i}", "layer": "sip", "version": "1"} for i in range(14)]
        everybody += [{"peer": f"w{i}", "layer": "ws", "version": "1"} for i in range(6)]
        everybody += [{"peer": f"h{i}", "layer": "http", "version": "1"} for i in range(7)]
        everybody.append({"peer": "ref", "layer": "sip", "version": "1"})
        lines, enough = self.peers.judge(everybody, set())
        self.assertEqual((lines, enough), (["14 of 14 readers of SIP, 6 of 6 readers of WebSocket frames, 7 of 7 readers of handshakes are here"], True))
        gone = [p | {"absent": "there is no go here"} if p["peer"] in ("s1", "s2") else p for p in everybody]
        lines, enough = self.peers.judge(gone, {"s1", "s2"})
        self.assertTrue(enough)
        self.assertIn("absent: s1: there is no go here", lines)
        self.assertIn("12 of 14 readers of SIP, 6", lines[-1])
        self.assertFalse(self.peers.judge(gone, {"s1"})[1])
        for layer in "swh":  # too few, whether they may be absent or nobody is
            few = [p | {"absent": "no"} if p["peer"] in (f"{layer}0", f"{layer}1", f"{layer}2") else p for p in everybody]
            lines, enough = self.peers.judge(few, {p["peer"] for p in everybody})
            self.assertFalse(enough)
            self.assertIn("fewer than", lines[-1])
            self.assertFalse(self.peers.judge([p for p in few if "absent" not in p], set())[1])


class Whole(unittest.TestCase):
    def test_of_the_programs(self):
        """ci/court over two vectors, with whoever is here."""
        programs = Path(os.environ.get("SIPWS_BIN", ROOT / "build/bin"))
        if not (programs / "sipws-diff").is_file():
            self.skipTest(f"there is no {programs}/sipws-diff")
        with tempfile.TemporaryDirectory() as folder:
            out, lines = Path(folder) / "court.html", Path(folder) / "lines"
            done = subprocess.run([programs / "sipws-diff", "--json", "--clusters", "--peers=ref,oSIP,libre", "--peer",
                                   "loose=printf '{\"peer\":\"loose\",\"version\":\"1\"}\\n{\"verdict\":\"accept\",\"reading\":{}}\\n'; cat >/dev/null",
                                   "corpus/vectors/sip.json:sip-bare-lf"], cwd=ROOT, capture_output=True, check=False)
            lines.write_bytes(done.stdout)
            court = [CI / "court", "--bin", programs, "--out", out]
            subprocess.run([*court, lines], check=True, capture_output=True)
            self.assertIn("sip-bare-lf", out.read_text())
            self.assertIn("takes line-end", out.read_text())
            lines.write_text("nonsense")
            bad = subprocess.run([*court, lines], capture_output=True, text=True, check=False)
            self.assertEqual(bad.returncode, 2)
            self.assertIn("FAILED", bad.stderr)
            self.assertEqual(subprocess.run([*court, "--corpus", "x", lines], capture_output=True, check=False).returncode, 2)


    def test_the_worked_example(self):
        """The adapter that props/peers/README.md walks through reads what it says, and fits the schema."""
        programs = Path(os.environ.get("SIPWS_BIN", ROOT / "build/bin"))
        if not (programs / "sipws-diff").is_file():
            self.skipTest(f"there is no {programs}/sipws-diff")
        text = (ROOT / "props/peers/README.md").read_text()
        code = re.search(r"```python\n(.*?)```", text, re.S)[1]
        self.assertLess(code.count("\n"), 100)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "mail-peer.py").write_text(code)
            done = subprocess.run([programs / "sipws-diff", "--json", "--peers=ref", "--peer",
                                   f"mail=PYTHONPATH=$PEERS/python exec python3 -B {folder}/mail-peer.py",
                                   "corpus/vectors/sip.json:sip-options", "corpus/vectors/sip.json:sip-bare-lf"],
                                  cwd=ROOT, capture_output=True, text=True, check=False)
        lines = ask.Lines()
        lines.take(done.stdout, "sipws-diff")
        sound, bare = (lines.answers[f"corpus/vectors/sip.json:sip-{name}"]["mail"] for name in ("options", "bare-lf"))
        self.assertEqual((sound["verdict"], sound["reading"]["request"]["method"]), ("accept", "OPTIONS"))
        self.assertEqual((sound["reading"]["call-id"], sound["reading"]["from"]["tag"]), ("o", "1"))
        self.assertEqual(bare["verdict"], "accept")  # to a reader of mail any line end is one
        self.assertNotIn("lacks", done.stdout)  # all header fields are there

# ---- in Chromium ----------------------------------------------------------------------------------

class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.b = browser.Browser()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(cls.b.__exit__)

    def open(self, made_facts, fragment=""):
        path = Path(self.folder.name) / f"{self.id()}.html"
        page.write(path, made_facts)
        self.b.errors.clear(), self.b.log.clear(), self.b.requests.clear()
        self.b.open("about:blank")
        self.url = path.as_uri()
        self.b.open(self.url + fragment)

    def text(self, selector):
        return self.b.value(f"document.querySelector({json.dumps(selector)}).textContent")

    def count(self, selector):
        return self.b.value(f"document.querySelectorAll({json.dumps(selector)}).length")

    def choose(self, name, value):
        self.b.value(f"{{const e = document.getElementById('{name}'); e.value = {json.dumps(value)}; "
                     "e.dispatchEvent(new Event(e.id === 'q' ? 'input' : 'change'))}")

    def quiet(self):
        self.assertEqual((self.b.errors, self.b.log), ([], []))

    def test_is_drawn(self):
        self.open(small())
        self.assertEqual(self.text("#shown"), "2 of 2 clusters")
        self.assertIn("z (there is no z here)", self.text("#about"))
        self.assertEqual(self.count("#rows .row"), 2)
        self.assertEqual(self.b.value("[...document.querySelectorAll('#rows .row')].map(r => [...r.querySelectorAll('.cell')].map(c => c.textContent).join(''))"),
                         ["=≠=–", "⊘+⊘–"])
        self.assertIn("x  →  y", self.text("#chains"))
        self.assertEqual(self.b.value("[...document.querySelector('#totals tbody tr').cells].map(c => c.textContent).join(' ')"),
                         "x 1.0 SIP 2 1 · · 1 · · ·")
        self.assertEqual(self.b.value("document.querySelector('#grid').getAttribute('aria-rowcount')"), "3")
        self.quiet()

    def test_filter(self):
        self.open(small())
        self.choose("q", "line-end takes")
        self.assertEqual(self.text("#shown").split(" of")[0], "1")
        self.choose("q", "3261 7.3.1")
        self.assertIn("via branch", self.text("#rows"))
        self.choose("q", "nothing like it")
        self.assertIn("Nothing is like that", self.text("#rows"))
        self.choose("q", "")
        self.choose("layer", "message")
        self.assertNotIn("via branch", self.text("#rows"))
        self.choose("layer", "")
        self.choose("peer", "y")
        self.assertEqual(self.text("#shown").split(" of")[0], "0")
        self.assertIn("peer=y", self.b.value("location.hash"))
        self.choose("peer", "")
        self.choose("matters", "smuggling")
        self.assertEqual(self.count("#rows .row"), 1)
        self.b.value("document.querySelector('#speaks input[value=ws]').click()")
        self.assertIn("close", self.text("#rows"))
        self.quiet()

    def test_keys_alone(self):
        self.open(small())
        self.b.key("/")
        self.assertEqual(self.b.value("document.activeElement.id"), "q")
        self.b.type("takes")
        self.assertEqual(self.count("#rows .row"), 1)
        self.b.key("Enter")
        self.assertEqual(self.b.value("document.activeElement.id"), "grid")
        self.assertEqual(self.b.value("getComputedStyle(document.activeElement).outlineStyle"), "solid")
        self.b.key("Enter")
        self.assertTrue(self.b.value("document.getElementById('witness').open"))
        self.assertIn("takes line-end", self.text("#witness-title"))
        # Its end is told late: who is in the filter by then stays there.
        self.b.value("document.getElementById('witness').close(), document.getElementById('q').focus()")
        self.b.value("new Promise(r => setTimeout(r, 50))")
        self.assertEqual(self.b.value("document.activeElement.id"), "q")
        self.b.key("Enter")
        self.b.key("Enter")
        self.b.key("Escape")
        self.assertFalse(self.b.value("document.getElementById('witness').open"))
        self.assertEqual(self.b.value("document.activeElement.id"), "grid")
        self.b.key("/")
        for _ in "takes":
            self.b.call("Input.dispatchKeyEvent", type="keyDown", key="Backspace", windowsVirtualKeyCode=8)
            self.b.call("Input.dispatchKeyEvent", type="keyUp", key="Backspace", windowsVirtualKeyCode=8)
        self.b.key("Escape")
        self.assertEqual(self.b.value("document.activeElement.id"), "grid")
        self.b.key("j")
        self.b.key("ArrowRight", 2)
        active = self.b.value("document.getElementById(document.getElementById('grid').getAttribute('aria-activedescendant')).getAttribute('aria-label')")
        self.assertEqual(active, "x takes what ref refuses")
        self.b.key("k", 5)
        self.b.key("Enter")
        self.assertIn("x reads it otherwise", self.text("#case"))
        self.b.key("j")
        self.assertIn("takes line-end", self.text("#witness-title"))
        self.quiet()

    def test_witness(self):
        f = small()
        self.open(f, "#" + f["clusters"][0]["id"])  # a link to it
        self.assertEqual(self.text("#witness-title"), "via branch: cut at the end")
        self.assertEqual(self.text(".octets .text mark"), "4")  # z9hG|4bKb
        self.assertEqual(self.text(".octets .hex mark"), "34")
        self.assertIn("CRLF", self.text(".octets .text"))
        self.assertIn("RFC 3261, section 7.3.1. One sentence.", self.text(".rule"))
        self.assertEqual(self.b.value("[...document.querySelectorAll('.readings td.other')].map(e => e.textContent)"), ["z9hG", "OPTIONS␣"])
        command = self.text(".command code")
        self.assertIn("base64 -d | build/bin/sipws-diff -", command)
        replayed = subprocess.run(["sh", "-c", command.replace("build/bin/sipws-diff -", "cat")], capture_output=True, check=True)
        self.assertEqual(replayed.stdout.decode(), MESSAGE)
        self.b.key("Escape")
        self.b.value(f"location.hash = '{f['clusters'][2]['id']}'")  # of another layer
        self.b.value("new Promise(r => setTimeout(r, 50))")
        self.assertEqual(self.text("#witness-title"), "close: less")
        self.b.key("Escape")
        self.b.value("document.querySelector('#chains .chain').click()")
        self.assertIn("Decided.", self.text("#case"))
        self.assertEqual(self.text(".octets .hex mark"), "34")
        self.quiet()

    def test_no_width_makes_it_scroll_sideways(self):
        self.open(many(30))
        for width in (1280, 1000, 700, 400, 320):
            self.b.size(width, 800)
            self.b.value("new Promise(requestAnimationFrame)")
            self.assertLessEqual(self.b.value("document.documentElement.scrollWidth"), width)
            self.b.value("document.querySelector('#rows .row').click()")
            self.assertLessEqual(self.b.value("document.getElementById('witness').scrollWidth - document.getElementById('witness').clientWidth"), 0)
            self.b.key("Escape")
        self.b.size(1280, 900)
        self.quiet()

    def test_prints_all(self):
        self.open(many(300))
        self.assertLess(self.count("#rows .row"), 80)
        self.b.value("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.count("#rows .row"), 300)
        self.b.value("dispatchEvent(new Event('afterprint'))")
        self.b.value("document.querySelector('#rows .row').click()")
        pages = []
        for name in ("", ".readings"):  # the more there is to print, the more pages
            self.b.value(f"document.querySelectorAll('#case {name or 'none'} tr').forEach(e => e.style.height = '400px')")
            pages.append(len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(self.b.call("Page.printToPDF")["data"]))))
        self.assertGreater(pages[1], pages[0] + 2)
        self.assertTrue(self.b.value("document.getElementById('witness').contains(document.getElementById('case'))"))
        self.b.key("Escape")
        self.assertLess(self.count("#rows .row"), 80)
        self.quiet()

    def test_2000_clusters_in_time(self):
        f = many(2000)
        self.b.call("Performance.enable", timeDomain="threadTicks")  # what others do on this machine does not count
        path = Path(self.folder.name) / "many.html"
        page.write(path, f)

        def spent(doing, argument):
            before = self.b.metric("TaskDuration")
            doing(argument)
            return 1000 * (self.b.metric("TaskDuration") - before)

        def load(url):
            self.b.open(url)
            self.b.value("document.body.offsetHeight")

        def enter(words):
            self.b.value("{const q = document.getElementById('q'); q.value = '%s'; q.dispatchEvent(new Event('input')); document.body.offsetHeight}" % words)

        loads = []
        for _ in range(4):
            self.b.open("about:blank")
            loads.append(spent(load, path.as_uri()))
        self.assertEqual(self.text("#shown"), "2000 of 2,000 clusters")
        filters = [spent(enter, words) for words in ("field 7", "stack-3 uri", "", "kind 1999", "")]
        scroll = spent(self.b.value, "scrollTo(0, 40000), dispatchEvent(new Event('scroll')), document.body.offsetHeight")
        print(f"\n  2,000 clusters: drawn in {min(loads):.0f} ms of CPU time, filtered in {sorted(filters)[-1]:.0f} ms at most, "
              f"scrolled in {scroll:.0f} ms; {path.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
        self.assertLess(min(loads), LIMIT)
        self.assertLess(max(filters), LIMIT)
        self.assertLess(scroll, LIMIT)
        self.b.value("document.getElementById('grid').focus()")
        self.b.key("End")
        self.b.value("new Promise(requestAnimationFrame)")
        self.assertEqual(self.b.value("document.querySelector('#rows .row.here').dataset.row"), "1999")
        self.quiet()

    def test_hostile_octets_are_text(self):
        f = hostile()
        self.open(f)
        self.b.value("document.querySelector('#rows .row').click()")
        self.assertIn(HOSTILE, self.text("#case .octets .text"))
        self.assertIn(HOSTILE, self.text("#case .readings"))
        self.b.key("Escape")
        self.b.value("document.querySelector('#chains .chain').click()")
        self.assertIn(HOSTILE, self.text("#case"))
        self.b.value("new Promise(r => setTimeout(r, 100))")
        self.assertIsNone(self.b.value("window.hurt"))
        self.assertEqual((self.count("img"), self.count("script")), (0, 2))
        self.quiet()

    def test_policy_holds_what_would_get_in(self):
        """If the page did make markup of octets, its policy would still forbid it to run."""
        self.open(small())
        self.b.value("{const d = document.createElement('div'); d.innerHTML = \"<img src=x onerror='window.hurt=1'>\"; document.body.append(d);"
                     "const s = document.createElement('script'); s.textContent = 'window.hurt=2'; document.body.append(s)}")
        self.b.value("new Promise(r => setTimeout(r, 100))")
        self.assertIsNone(self.b.value("window.hurt"))

    def test_asks_for_nothing(self):
        f = small()
        self.open(f, "#" + f["clusters"][0]["id"])
        self.b.scheme(True)
        self.b.scheme(False)
        self.b.value("new Promise(r => setTimeout(r, 100))")
        self.assertEqual([r for r in self.b.requests if not r.startswith(("about:", self.url))], [])
        self.assertEqual(self.b.value("fetch('http://127.0.0.1:1/').then(() => 'got', () => 'refused')"), "refused")
        self.assertTrue(any("Content Security Policy" in line for line in self.b.log), self.b.log)


if __name__ == "__main__":
    shown = "--page" in sys.argv
    if shown:
        sys.argv.remove("--page")
        if not browser.found():
            print(f"skipped: there is no Chromium here ({', '.join(browser.NAMES)}): apt-get install chromium")
            sys.exit(77)
    wanted = (Page,) if shown else (Facts, Readers, Whole)
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(c) for c in wanted)
    sys.exit(not unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful())
