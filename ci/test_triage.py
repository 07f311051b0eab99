#!/usr/bin/env python3
"""Tests of ci/triage, ci/bisect and ci/replay: which files are findings, what becomes of them, and a
history with one bad commit. The programs are played, so this takes seconds; ci/test_findings.py does
it with real ones."""

import sys

sys.dont_write_bytecode = True

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

CI = Path(__file__).resolve().parent
sys.path.insert(0, str(CI))

from fuzzlib import findings, triage

# Plays sipws-replay: an 'x' is a bug of msg, a 'y' another one, with "slow" it tells nothing.
REPLAY = r'''#!/usr/bin/env python3
import json, re, sys
from pathlib import Path
args = sys.argv[1:]
path = Path(args[-1])
data = path.read_bytes()
bug = "x" if b"x" in data else "y" if b"y" in data else ""
if b"slow" in data:
    print("no such thing", file=sys.stderr)
    sys.exit(2)
if KIND == "gcc" and b"clang" in data:
    bug = ""
if KIND != "msan" and b"m" in data:
    bug = ""
if "--json" in args:
    says = {"file": str(path), "kind": "input", "target": "msg", "told_by": "its name",
            "end": "crashes" if bug else "holds", "octets": len(data)}
    if bug:
        says.update(says="crashed: SEGV in f (ref/msg.c)", error="SEGV", bucket="msg:SEGV:" + bug,
                    frames=["f@ref/msg.c"], printed="==1==ERROR: <AddressSanitizer>\n")
        if "--shrink" in args:
            small = Path(str(path) + ".min")
            small.write_bytes(bug.encode() + (b"m" if b"m" in data else b""))
            says.update(small=str(small), was=len(data), tries=7)
    print(json.dumps(says))
else:
    print("target    msg\nverdict   " + ("crashed: <SEGV>" if bug else "holds"))
sys.exit(1 if bug else 0)
'''

# Plays ci/replay: "--build" prints where the program is.
BUILD = r'''#!/bin/sh
cd "$(dirname "$0")/.."
kind=clang
case $1 in --clang | --gcc | --msan) kind=${1#--}; shift ;; esac
[ ! -e "broken-$kind" ] || { echo "no compiler" >&2; exit 2; }
[ "$1" != --build ] || { echo "$PWD/replay-$kind"; exit; }
exec "$PWD/replay-$kind" "$@"
'''


class Checkout:
    def __init__(self, test, broken=()):
        self.root = Path(tempfile.mkdtemp()).resolve()
        test.addCleanup(shutil.rmtree, self.root, True)
        (self.root / "ci").mkdir()
        self.program("ci/replay", BUILD)
        for kind in ("clang", "gcc", "msan"):
            self.program(f"replay-{kind}", REPLAY.replace("KIND", f'"{kind}"'))
        for kind in broken:
            (self.root / f"broken-{kind}").write_text("")
        self.found = self.root / "found"
        self.found.mkdir()

    def program(self, name, text):
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)

    def put(self, name, text):
        path = self.found / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def triage(self, *args):
        env = {k: v for k, v in os.environ.items() if k != "SIPWS_PLANT"}
        p = subprocess.run([sys.executable, str(CI / "triage"), "--root", str(self.root), "--build",
                            "clang", "--build", "gcc", *(args or [str(self.found)])],
                           capture_output=True, text=True, timeout=60, env=env)
        self.out = p.stdout + p.stderr
        return p.returncode

    def facts(self):
        return json.loads((self.root / "build/report/triage.json").read_text())


class Files(unittest.TestCase):
    def collect(self, *names):
        c = Checkout(self)
        for i, name in enumerate(names):
            c.put(name, f"contents {i}")
        taken, _ = triage.collect([c.found])
        return [str(p.relative_to(c.found)) for p in taken]

    def test_an_output_folder_of_afl(self):
        self.assertEqual(
            self.collect("out/default/fuzzer_stats", "out/default/plot_data", "out/default/cmdline",
                         "out/default/queue/id:000000,orig:a", "out/default/queue/.state/x",
                         "out/default/crashes/README.txt",
                         "out/default/crashes/id:000000,sig:06,src:000001,op:havoc",
                         "out/default/hangs/id:000000,src:000001,op:havoc",
                         "out/second/fuzzer_stats", "out/second/crashes/id:000001,sig:11"),
            ["out/default/crashes/id:000000,sig:06,src:000001,op:havoc",
             "out/default/hangs/id:000000,src:000001,op:havoc", "out/second/crashes/id:000001,sig:11"])

    def test_others(self):
        sha = "44209c31af065773e171bf37e9e19cb8edf2dd44"
        names = [f"crash-{sha}", f"oom-{sha}", f"timeout-{sha}", f"slow-unit-{sha}",
                 "clusterfuzz-testcase-minimized-fuzz-msg-51", "msg-0123456789abcdef",
                 "ws-cut-0123456789abcdef.tape", "SIGSEGV.PC.7f.STACK.1.CODE.1.fuzz"]
        self.assertEqual(sorted(self.collect(*names, "HONGGFUZZ.REPORT.TXT", "log", "x.min", ".hidden",
                                             "fuzz-msg.dict")), sorted(names))
        who = [triage.engine_of(Path(n)) for n in names]
        self.assertEqual(who, ["libFuzzer"] * 4 + ["ClusterFuzz", "ci/fuzz", "sipws-props",
                                                   "honggfuzz"])

    def test_what_is_named_is_taken(self):
        c = Checkout(self)
        path = c.put("odd.log", "x")
        self.assertEqual(triage.collect([path]), ([path], []))

    def test_the_same_octets_once(self):
        c = Checkout(self)
        a, b = c.put("crash-1", "x"), c.put("crash-2", "x")
        other = c.put("elsewhere/crash-3", "x")  # of another target, perhaps
        self.assertEqual(triage.collect([c.found]), ([a, other], [b]))


class WellFormed(HTMLParser):
    VOID = {"meta"}

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


class Whole(unittest.TestCase):
    def test_buckets(self):
        c = Checkout(self)
        c.put("msg-0123456789abcdef", "axa, a long one")
        c.put("crash-1", "ax")
        c.put("crash-2", "ay clang")
        c.put("crash-3", "nothing")
        self.assertEqual(c.triage(), 1, c.out)
        f = c.facts()
        self.assertEqual([(b["bucket"], b["count"], b["octets"], b["was"], b["builds"], b["note"])
                          for b in f["buckets"]],
                         [("msg:SEGV:x", 2, 1, 2, ["clang", "gcc"], ""),
                          ("msg:SEGV:y", 1, 1, 8, ["clang"], "")])
        self.assertEqual([h["path"] for h in f["holds"]], ["found/crash-3"])
        for b in f["buckets"]:
            self.assertIn(b["command"], c.out)
            self.assertIn(b["bucket"], c.out)
            self.assertRegex(b["kept"], r"^build/findings/msg-[0-9a-f]{16}$")
            again = subprocess.run(b["command"], shell=True, cwd=c.root, capture_output=True, text=True)
            self.assertEqual(again.returncode, 1, b["command"])
            self.assertIn("crashed", again.stdout)
        text = (c.root / "build/report/triage.html").read_text()
        p = WellFormed()
        p.feed(text)
        self.assertEqual((p.wrong, p.open), ([], []))
        for want in ("2 buckets", f["buckets"][0]["command"], "crashed: &lt;SEGV&gt;", "What holds",
                     "ERROR: &lt;AddressSanitizer&gt;", "found/crash-3"):
            self.assertIn(want, text)

    def test_nothing_reproduces(self):
        c = Checkout(self)
        c.put("crash-1", "fine")
        self.assertEqual(c.triage(), 0, c.out)
        self.assertEqual(c.facts()["verdict"], "nothing reproduces")

    def test_trouble(self):
        c = Checkout(self)
        c.put("crash-1", "slow")
        self.assertEqual(c.triage(), 2, c.out)
        self.assertIn("no such thing", c.out)
        self.assertEqual(Checkout(self).triage(), 2)  # nothing there
        c = Checkout(self, broken=("clang", "gcc"))
        c.put("crash-1", "x")
        self.assertEqual(c.triage(), 2, c.out)
        self.assertIn("no compiler", c.out)
        self.assertEqual(c.triage(str(c.root / "nowhere")), 2)
        self.assertIn("usage:", c.out)

    def test_one_compiler_is_enough(self):
        c = Checkout(self, broken=("clang",))
        c.put("crash-1", "ax")
        self.assertEqual(c.triage(), 1, c.out)
        f = c.facts()
        self.assertIn("clang", f["trouble"][0])
        self.assertEqual(f["buckets"][0]["builds"], ["gcc"])
        self.assertIn("ci/replay --gcc --explain", f["buckets"][0]["command"])

    def test_a_large_one_stays(self):
        c = Checkout(self)
        c.put("crash-1", "axa")
        self.assertEqual(c.triage("--no-shrink", str(c.found)), 1)
        self.assertEqual(c.facts()["buckets"][0]["octets"], 3)


class Typed(unittest.TestCase):
    def test_what_people_type(self):
        was = os.environ.pop("SIPWS_PLANT", None)
        try:
            self.assertEqual(findings.typed("build/findings/a"),
                             "ci/replay --explain build/findings/a")
            self.assertEqual(findings.typed("a b", "msan"), "ci/replay --msan --explain 'a b'")
            os.environ["SIPWS_PLANT"] = "NAME"
            self.assertEqual(findings.typed("a"), "SIPWS_PLANT=NAME ci/replay --explain a")
        finally:
            os.environ.pop("SIPWS_PLANT", None)
            if was is not None:
                os.environ["SIPWS_PLANT"] = was


# ---- ci/bisect -----------------------------------------------------------------------------------

CMAKE = """cmake_minimum_required(VERSION 3.25)
project(x C)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_executable(sipws-replay x.c)
"""

# Fails a file that starts with BAD; told a target that it does not know, it gives 2.
PROGRAM = r"""#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char text[8] = "";
    FILE *f = fopen(argv[argc - 1], "rb");
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--target") == 0 && strcmp(argv[i + 1], "msg") != 0)
            return 2;
    if (!f || !fgets(text, sizeof text, f))
        return 2;
    return strncmp(text, "BAD", 3) == 0 ? BROKEN : 0;
}
"""


class Bisect(unittest.TestCase):
    """A history of eight commits whose program is one small file."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp()).resolve()
        self.addCleanup(shutil.rmtree, self.root, True)
        (self.root / "ci").mkdir()
        for name in ("bisect", "tools"):
            shutil.copy(CI / name, self.root / "ci" / name)
        (self.root / ".gitignore").write_text("build/\n")
        (self.root / "CMakeLists.txt").write_text(CMAKE)
        self.git("init", "-q")
        self.git("config", "user.name", "A. Nobody")
        self.git("config", "user.email", "nobody@example.org")

    def git(self, *args):
        return subprocess.run(["git", *args], cwd=self.root, check=True, capture_output=True,
                              text=True).stdout.strip()

    def commit(self, title, program):
        (self.root / "x.c").write_text(program + f"/* {title} */\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", title)
        return self.git("rev-parse", "HEAD")

    def bisect(self, *args):
        p = subprocess.run(["ci/bisect", "--gcc", *args], cwd=self.root, capture_output=True, text=True,
                           timeout=100, env={**os.environ, "CFLAGS": ""})
        self.out = p.stdout + p.stderr
        return p.returncode

    def test_the_first_bad_commit(self):
        good, bad = PROGRAM.replace("BROKEN", "0"), PROGRAM.replace("BROKEN", "1")
        first = self.commit("one", good)
        self.commit("two", good)
        self.commit("does not build", good + "}")
        self.commit("four", good)
        culprit = self.commit("the plant grows", bad)
        self.commit("six", bad)
        # What is here and not committed neither helps nor suffers.
        (self.root / "x.c").write_text("not a program")
        (self.root / "case").write_text("BAD")
        before = self.git("status", "--porcelain"), self.git("rev-parse", "HEAD")
        self.assertEqual(self.bisect("--target", "msg", first, "HEAD", "case"), 0, self.out)
        self.assertIn(f"first bad commit: {culprit}", self.out)
        self.assertIn("the plant grows", self.out)
        self.assertIn("skipped: does not build", self.out)
        self.assertEqual((self.git("status", "--porcelain"), self.git("rev-parse", "HEAD")), before)
        self.assertEqual((self.root / "x.c").read_text(), "not a program")
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)

        # Where the commits between cannot be asked, it says so.
        self.git("checkout", "-q", "-f", "HEAD")
        (self.root / "case").write_text("sipws-tape 1 a/b\n")  # needs no target
        self.assertEqual(self.bisect(first, "HEAD", "case"), 2, self.out)
        self.assertIn("it holds at", self.out)
        (self.root / "case").write_text("BAD")
        self.assertEqual(self.bisect("--target", "msg", "HEAD", "HEAD", "case"), 2, self.out)
        self.assertIn("it fails at", self.out)
        self.assertEqual(self.bisect("--target", "none", first, "HEAD", "case"), 2, self.out)
        self.assertIn("cannot be asked", self.out)
        self.assertEqual(self.bisect("--target", "msg", "nowhere", "HEAD", "case"), 2)
        self.assertEqual(self.bisect(first, "HEAD"), 2)
        self.assertIn("usage:", self.out)

    def test_only_skipped_commits_are_left(self):
        good, bad = PROGRAM.replace("BROKEN", "0"), PROGRAM.replace("BROKEN", "1")
        first = self.commit("one", good)
        lost = self.commit("does not build", good + "}")
        last = self.commit("three", bad)
        (self.root / "case").write_text("BAD")
        self.assertEqual(self.bisect("--target", "msg", first, "HEAD", "case"), 1, self.out)
        self.assertIn("one of these", self.out)
        for commit in (lost, last):
            self.assertIn(self.git("rev-parse", "--short", commit), self.out)


if __name__ == "__main__":
    unittest.main()
