#!/usr/bin/env python3
"""Tests of ci/fuzz: what it reads of the engines, how it divides time, what it makes of findings,
the report, and the whole with engines that are played by scripts."""

import sys

sys.dont_write_bytecode = True

import json
import os
import pty
import re
import runpy
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from html.parser import HTMLParser
from pathlib import Path

CI = Path(__file__).resolve().parent
sys.path.insert(0, str(CI))

from fuzzlib import (board, coverage, engines, findings, floors, layout, plot, process, properties, report,
                     runner, schedule, session, screen)

# ---- what the engines say ------------------------------------------------------------------------

LIBFUZZER = """\
INFO: Running with entropic power schedule (0xFF, 100).
INFO: Loaded 1 modules   (20 inline 8-bit counters): 20 [0x5602a777b020, 0x5602a777b034),
#2\tINITED cov: 3 ft: 3 corp: 1/1b exec/s: 0 rss: 32Mb
#134\tNEW    cov: 9 ft: 12 corp: 5/12b lim: 4 exec/s: 0 rss: 32Mb L: 2/4 MS: 3 CrossOver-
#2048\tpulse  cov: 9 ft: 17 corp: 9/30b lim: 6 exec/s: 1024 rss: 33Mb
#4000\tREDUCE cov: 11 ft: 19 corp: 9/29b lim: 6 exec/s: 1100 rss: 34Mb L: 5/6 MS: 1 EraseBytes-
#5000\tRELOAD cov: 11 ft: 19 corp: 12/40b lim: 6 exec/s: 1100 rss: 34Mb
stat::number_of_executed_units: 5123
stat::average_exec_per_sec:     1024
stat::peak_rss_mb:              35
"""

CRASH = """\
==15619==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000005bd6 at pc 0x56 bp 0x7f
READ of size 1 at 0x602000005bd6 thread T0
    #0 0x5602a773ad75 in sipws_uri_read /src/ref/uri.c:17:130
    #1 0x5602a7663300 in LLVMFuzzerTestOneInput /src/fuzz/target_uri.c:20:5
    #2 0x5602a76632f3 in fuzzer::Fuzzer::ExecuteCallback(unsigned char const*, unsigned long) (/b+0x4)
    #3 0x7f37efc45249 in __libc_start_call_main csu/../sysdeps/nptl/libc_start_call_main.h:58:16

0x602000005bd6 is located 3 bytes to the right of 3-byte region [0x602000005bd0,0x602000005bd3)
allocated by thread T0 here:
    #0 0x5602a76ffbfe in malloc (/b+0xdebfe)
    #1 0x5602a773aa95 in other /src/ref/str.c:17:81

SUMMARY: AddressSanitizer: heap-buffer-overflow /src/ref/uri.c:17:130 in sipws_uri_read
Shadow bytes around the buggy address:
artifact_prefix='./'; Test unit written to ./crash-44209c31af065773e171bf37e9e19cb8edf2dd44
"""

FUZZER_STATS = """\
start_time        : 1795556424
execs_done        : 61892
execs_per_sec     : 15438.26
corpus_count      : 41
stability         : 98.50%
saved_crashes     : 0
edges_found       : 24
peak_rss_mb       : 7
command_line      : afl-fuzz -i in -o out -- ./fuzz-uri a:b
"""

PLOT = """\
# relative_time, cycles_done, cur_item, corpus_count, pending_total, pending_favs, map_size, \
saved_crashes, saved_hangs, max_depth, execs_per_sec, total_execs, edges_found
4, 1, 10, 41, 30, 0, 92.31%, 0, 0, 3, 15273.10, 61892, 24
9, 1, 10, 43, 30, 0, 92.31%, 0, 0, 3, 15273.10, 131892, 26
"""


class Engines(unittest.TestCase):
    def test_libfuzzer(self):
        s = engines.Stats()
        found = [engines.read_libfuzzer(line, s) for line in LIBFUZZER.splitlines()]
        self.assertEqual((s.executions, s.edges, s.features, s.corpus, s.rss),
                         (5123, 11, 19, 12, 35))
        self.assertEqual(set(found), {None})

    def test_libfuzzer_names_its_finding(self):
        s = engines.Stats()
        found = [f for f in (engines.read_libfuzzer(x, s) for x in CRASH.splitlines()) if f]
        self.assertEqual(found, ["./crash-44209c31af065773e171bf37e9e19cb8edf2dd44"])

    def test_what_a_target_prints_is_not_taken_for_progress(self):
        s = engines.Stats()
        for line in ("#17 in the list", "stat::x", "#9 0x1234 in f /a.c:1", "#99999 ok"):
            self.assertIsNone(engines.read_libfuzzer(line, s))
        self.assertEqual(s.executions, 0)

    def test_afl(self):
        s = engines.Stats()
        engines.take_afl_stats(FUZZER_STATS, s)
        self.assertEqual((s.executions, s.edges, s.corpus, s.stability), (61892, 24, 41, 98.5))
        self.assertEqual(engines.read_fuzzer_stats(FUZZER_STATS)["command_line"],
                         "afl-fuzz -i in -o out -- ./fuzz-uri a:b")

    def test_afl_half_written(self):
        s = engines.Stats()
        engines.take_afl_stats("execs_done  : \nstabil", s)
        self.assertEqual((s.executions, s.stability), (0, None))
        self.assertEqual(engines.read_plot_data(PLOT + "14, 1, 1"),
                         [(4.0, 61892, 24, 41), (9.0, 131892, 26, 43)])
        self.assertEqual(engines.read_plot_data(""), [])

    def test_curves_stay_short(self):
        s = engines.Stats()
        for i in range(5000):
            s.executions = s.edges = i
            s.point(i / 10)
        self.assertLessEqual(len(s.points), 2 * engines.POINTS)
        self.assertEqual((s.points[0][1], s.points[-1][1]), (0, 4999))
        self.assertEqual(s.points, sorted(s.points))

    def test_options_of_a_target(self):
        with tempfile.TemporaryDirectory() as d:
            root = Path(d)
            (root / "fuzz").mkdir()
            (root / "fuzz" / "fuzz-x.options").write_text(
                "[libfuzzer]\nmax_len = 99\ndict = x.dict\ntimeout=2\n[asan]\nfoo=1\n")
            (root / "corpus" / "dict").mkdir(parents=True)
            (root / "corpus" / "dict" / "x.dict").write_text('"a"\n')
            at = layout.Layout(root)
            flags = engines.libfuzzer_flags(at, "x")
            self.assertIn("-max_len=99", flags)
            self.assertIn("-timeout=2", flags)
            self.assertEqual([f for f in flags if "dict" in f],
                             [f"-dict={root.resolve()}/corpus/dict/x.dict"])
            env = engines.sanitizer_env(at.options("x"))
            self.assertIn("foo=1", env["ASAN_OPTIONS"])
            self.assertEqual(at.options("none"), {})

    def test_who_mutates_by_ours(self):
        with tempfile.TemporaryDirectory() as d:
            root = Path(d)
            at = layout.Layout(root)
            self.assertFalse(at.mutated("x", "afl"))  # no table
            (root / "fuzz").mkdir()
            (root / "fuzz" / "mutate.def").write_text("/* M(y, 1, 1) */\nM(x,  1, 0)\nM(xy, 0, 1)\n")
            said = {(t, e): at.mutated(t, e) for t in ("x", "xy", "y") for e in ("libfuzzer", "afl")}
            self.assertEqual([k for k, v in said.items() if v], [("x", "libfuzzer"), ("xy", "afl")])


# ---- does the mutator pay ------------------------------------------------------------------------

class Ablate(unittest.TestCase):
    ablate = runpy.run_path(str(CI / "ablate"), run_name="ablate")

    def rows(self, target, without, with_):
        return [{"engine": "afl", "target": target, "arm": arm, "edges": edges, "features": 1,
                 "plants": list("abcdefgh"[:plants]), "rate": 10, "sound": 50.0}
                for arm, some in (("without", without), ("with", with_)) for edges, plants in some]

    def test_a12(self):
        a12 = self.ablate["a12"]
        self.assertEqual(a12([1, 2, 3], [4, 5, 6]), 1)
        self.assertEqual(a12([4, 5, 6], [1, 2, 3]), 0)
        self.assertEqual(a12([1, 2], [1, 2]), 0.5)
        self.assertEqual(a12([1, 1], [1, 2]), 0.75)

    def test_a_gain_in_one_thing_is_none_when_the_other_falls(self):
        same, more, fewer, both = [(9, 3), (8, 3)], [(12, 3), (11, 3)], [(12, 1), (11, 1)], [(12, 5)] * 2
        for arm, gain in ((same, False), (more, True), (fewer, False), (both, True)):
            found = self.ablate["compare"](self.rows("msg", same, arm))
            self.assertEqual(self.ablate["gains"](found), gain)
        self.assertEqual(found["edges"], (8.5, 12, 1))

    def test_the_table_names_what_is_otherwise(self):
        on = self.ablate["LAYOUT"].mutated("msg", "afl")
        for better in (True, False):
            arms = ([(9, 3)] * 2, [(12, 5)] * 2)
            lines, odd = self.ablate["table"](self.rows("msg", *(arms if better else arms[::-1])))
            self.assertIn(" yes" if better else " no", lines[1])
            self.assertEqual(bool(odd), better != on)


# ---- time ----------------------------------------------------------------------------------------

class Schedule(unittest.TestCase):
    def weights(self, n):
        names = [f"t{i}" for i in range(n)]
        return {(t, e): v[2] for e, v in engines.ENGINES.items() for t in names}

    def floors(self, weights):
        return {k: engines.ENGINES[k[1]][3] for k in weights}

    def test_ends_in_time_whatever_is_asked(self):
        for n in (1, 3, 8, 12):
            for cores in (1, 2, 3, 4, 16, 64, 100):
                for seconds in (1, 2.5, 3, 10, 50, 110, 1000, 40000):
                    with self.subTest(n=n, cores=cores, seconds=seconds):
                        weights = self.weights(n)
                        floors = self.floors(weights)
                        p = schedule.divide(weights, seconds, cores, floors)
                        self.assertLessEqual(p.rounds * p.makespan(cores) if p.shares else 0,
                                             seconds + 1e-6)
                        self.assertEqual(sorted([s.key for s in p.shares] + p.left_out),
                                         sorted(weights))
                        for s in p.shares:
                            self.assertGreaterEqual(s.seconds, floors[s.key])

    def test_uses_the_time(self):
        for cores in (1, 2, 4):
            p = schedule.divide(self.weights(7), 110, cores)
            used = sum(s.seconds + schedule.OVERHEAD for s in p.shares)
            self.assertGreater(used, 0.8 * 110 * cores)
            self.assertEqual(p.left_out, [])

    def test_the_lightest_are_left_out_first(self):
        p = schedule.divide(self.weights(8), 50, 1)
        self.assertTrue(p.left_out)
        kept = {e for (_, e) in (s.key for s in p.shares)}
        out = {e for (_, e) in p.left_out}
        self.assertIn("libfuzzer", kept)
        self.assertNotIn("libfuzzer", out)
        self.assertIn("msan", out)

    def test_many_cores_work_on_one_run(self):
        p = schedule.divide(self.weights(2), 60, 64)
        self.assertEqual(p.workers, 10)

    def test_long_runs_take_turns(self):
        p = schedule.divide(self.weights(2), 36000, 2)
        self.assertGreater(p.rounds, 10)
        self.assertLess(max(s.seconds for s in p.shares), 2 * schedule.LONGEST)

    def test_a_target_has_the_share_of_its_row(self):
        with tempfile.TemporaryDirectory() as d:
            (Path(d) / "fuzz").mkdir()
            (Path(d) / "fuzz" / "floors").write_text("x 1 1 1\ny 1 1 3\n")
            s = session.Session(layout.Layout(d), 120, ["x", "y", "z"], ["libfuzzer"], 1, 0)
            seconds = {r.target: r.wanted for r in s.plan(100)}
            self.assertAlmostEqual(seconds["y"], 3 * seconds["x"], delta=0.01)
            self.assertAlmostEqual(seconds["z"], seconds["x"], delta=0.01)  # has no row


class Process(unittest.TestCase):
    def test_a_child_that_ignores_requests_ends_with_its_children(self):
        with tempfile.TemporaryDirectory() as d:
            script = ("trap '' INT TERM; setsid sh -c \"trap '' INT TERM; echo \\$\\$; "
                      "while :; do sleep 0.05; done\" & while :; do sleep 0.05; done")
            child = process.Child(["sh", "-c", script], Path(d) / "log")
            pid = None
            while pid is None:
                pid = next((int(s) for s in child.lines() if s.strip().isdigit()), None)
                time.sleep(0.02)
            begun = time.monotonic()
            while child.running():
                child.stop()
                time.sleep(0.02)
            self.assertLess(time.monotonic() - begun, process.GRACE + 1)
            for _ in range(100):
                state = Path(f"/proc/{pid}/stat")
                try:
                    if state.read_text().rpartition(")")[2].split()[0] == "Z":
                        break
                except (FileNotFoundError, ProcessLookupError):
                    break
                time.sleep(0.02)
            else:
                os.kill(pid, signal.SIGKILL)
                self.fail("the child's child goes on")

    def test_what_a_child_leaves_behind_ends_with_it(self):
        with tempfile.TemporaryDirectory() as d:
            child = process.Child(["sh", "-c", "setsid sleep 600 & sleep 0.3"], Path(d) / "log")
            time.sleep(0.15)
            self.assertGreaterEqual(len(process.marked(child.mark)), 2)
            while child.running():
                time.sleep(0.02)
            for _ in range(100):
                if not process.marked(child.mark):
                    break
                time.sleep(0.02)
            self.assertEqual(process.marked(child.mark), [])

    def test_lines_come_whole(self):
        with tempfile.TemporaryDirectory() as d:
            child = process.Child(["sh", "-c", "printf 'a\\nb'; sleep 0.2; printf 'c\\nd'"],
                                  Path(d) / "log")
            got = []
            while True:
                over = not child.running()
                got += child.lines()
                if over:
                    break
                time.sleep(0.01)
            self.assertEqual(got, ["a", "bc", "d"])

    def test_output_of_a_command_that_hangs(self):
        status, text = process.output_of(["sh", "-c", "echo x; sleep 60"], 0.3)
        self.assertEqual((status, text), (None, "x\n"))
        self.assertEqual(process.output_of(["/nowhere/program"], 1)[0], 127)


class Runs(unittest.TestCase):
    class Fake:
        def __init__(self, wanted, stubborn=False):
            self.wanted, self.stubborn, self.state, self.trouble = wanted, stubborn, "waits", ""
            self.name, self.killed = "fake", False

        def start(self, seconds):
            self.given, self.end, self.state = seconds, time.monotonic() + seconds, "runs"

        def left(self):
            return self.end - time.monotonic()

        def poll(self):
            return self.killed or not self.stubborn and time.monotonic() >= self.end

        def interrupt(self):
            self.end = 0

        def kill(self):
            self.killed = True

    def test_what_does_not_fit_is_left_out(self):
        runs = [self.Fake(1.0) for _ in range(5)]
        begun = time.monotonic()
        runner.Runner(2, begun + 2.5).run(runs)
        self.assertLess(time.monotonic() - begun, 3.0)
        self.assertEqual([r.state for r in runs], ["runs"] * 4 + ["left out"])

    def test_time_that_was_not_taken_goes_to_those_that_follow(self):
        runs = [self.Fake(1.0) for _ in range(4)]
        for r in runs[:2]:
            r.poll = lambda: True
        begun = time.monotonic()
        runner.Runner(1, begun + 5).run(runs)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual([round(r.given, 1) for r in runs[:1] + runs[2:]], [1.0, 1.5, 1.5])

    def test_stop(self):
        runs = [self.Fake(60) for _ in range(3)]
        r = runner.Runner(1, time.monotonic() + 60)
        r.on_tick = lambda: setattr(r, "stopped", True)
        begun = time.monotonic()
        r.run(runs)
        self.assertLess(time.monotonic() - begun, 1)
        self.assertEqual([x.state for x in runs], ["runs", "left out", "left out"])


# ---- findings ------------------------------------------------------------------------------------

class Reports(unittest.TestCase):
    def read(self, text):
        return findings.read_report(text, "uri", "/src")

    def test_address(self):
        d = self.read(CRASH)
        self.assertEqual(d.kind, "heap-buffer-overflow")
        self.assertEqual(d.title, "heap-buffer-overflow in sipws_uri_read (ref/uri.c:17)")
        # Other addresses, another program: the same bug.
        self.assertEqual(d.key, self.read(CRASH.replace("0x5602a7", "0x777777")).key)
        self.assertNotEqual(d.key, self.read(CRASH.replace("uri.c:17", "uri.c:18")).key)

    def test_undefined(self):
        text = ("/src/ref/ws.c:12:9: runtime error: shift exponent 40 is too large for 32-bit type\n"
                "    #0 0x1 in f /src/ref/ws.c:12:9\n\n"
                "SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior /src/ref/ws.c:12:9 in \n")
        d = self.read(text)
        self.assertEqual(d.kind, "undefined behaviour")
        self.assertIn("(ref/ws.c:12)", d.title)
        self.assertEqual(d.key, self.read(text.replace("40", "55")).key)

    def test_property(self):
        text = ("property  ws/cut\n          A sentence.\ntape      3 octets\nstory\n  x\n"
                "verdict   FAILS: events, first diverging octet 4\n          why\n"
                "==1== ERROR: libFuzzer: deadly signal\nSUMMARY: libFuzzer: deadly signal\n")
        self.assertEqual(self.read(text).key, ("property", "ws/cut", "events"))

    def test_others(self):
        for text, kind in (
                ("SUMMARY: libFuzzer: timeout\n", "timeout"),
                ("SUMMARY: libFuzzer: out-of-memory (malloc(1))\n", "out of memory"),
                ("SUMMARY: libFuzzer: deadly signal\n", "abort"),
                ("x: ref/a.c:1: f: Assertion `n > 0' failed.\nSUMMARY: libFuzzer: deadly signal\n",
                 "assertion"),
                ("SUMMARY: MemorySanitizer: use-of-uninitialized-value /src/a.c:1 in f\n",
                 "use-of-uninitialized-value"),
                ("SUMMARY: AddressSanitizer: 3 byte(s) leaked in 1 allocation(s).\n", "leak")):
            self.assertEqual(self.read(text).kind, kind)
        self.assertIsNone(self.read("all is well\n"))

    def test_excerpt_leaves_the_engine_out(self):
        text = findings.sanitizer_excerpt(CRASH, "/src")
        self.assertIn("ref/uri.c:17", text)
        self.assertNotIn("fuzzer::", text)
        self.assertNotIn("Shadow", text)


# ---- floors --------------------------------------------------------------------------------------

FLOORS = "# a comment\nx  100  500  2  handshake=10 sip=0.5\n"


class Floors(unittest.TestCase):
    def judge(self, engine="libfuzzer", **of):
        """What a row that is just above each floor is below of, once `of` it is otherwise."""
        row = board.Row("x", engine, "libFuzzer", "done", **{
            "executions": 10000, "features": 100, "cpu": 20.0, "seeded": True, "stability": 100.0,
            "depth": {"executions": 10000, "handshake": 1000, "sip": 50}, **of})
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(FLOORS)
            f.flush()
            return floors.judge(floors.read(Path(f.name)), row, "build/fuzz/bin/fuzz-x")

    def test_above_all(self):
        self.assertEqual(self.judge(), [])

    def test_each_floor_breaks_alone(self):
        for what, of in (
                ("features", {"features": 99}),
                ("executions a second of processor time", {"cpu": 20.1}),
                ('the share past the layer "handshake"',
                 {"depth": {"executions": 10000, "handshake": 999, "sip": 50}}),
                ('the share past the layer "sip"',
                 {"depth": {"executions": 10000, "handshake": 1000}}),
                ("executions that the target counts", {"depth": {}}),
                ("stability", {"stability": 99.9}),
                ("rows in fuzz/floors", {"target": "y"})):
            if "target" in of:
                row = board.Row("y", "libfuzzer", "libFuzzer", "done")
                broken = floors.judge({}, row, "command")
            else:
                broken = self.judge(**of)
            self.assertEqual([b.what for b in broken], [what])

    def test_a_layer_under_afl(self):
        for passed, broken in ((200, 0), (199, 1), (0, 1)):
            self.assertEqual(len(self.judge("afl", depth={
                "executions": 10000, "handshake": passed, "sip": 50})), broken)

    def test_message_names_target_floor_measured_and_command(self):
        text = str(self.judge(features=7)[0])
        for part in ("x under libFuzzer", "features 7", "at least 100", "next: build/fuzz/bin/fuzz-x"):
            self.assertIn(part, text)

    def test_little_time_says_little(self):
        self.assertEqual(self.judge(executions=900, cpu=1.0, depth={"executions": 900}), [])
        self.assertEqual(self.judge(executions=90, cpu=0.9, depth={"executions": 90}), [])
        self.assertEqual(self.judge(executions=3900, cpu=1.0, depth={
            "executions": 3900, "handshake": 390}), [])  # of sip, 19 would be its floor
        self.assertEqual(self.judge(seeded=False, features=1), [])
        self.assertEqual(self.judge("msan", features=1, cpu=60.0), [])

    def test_fork_mode_is_slower(self):
        row = board.Row("x", "libfuzzer", "libFuzzer", "done", executions=100, cpu=1.0)
        table = {"x": floors.Floors(0, 500.0)}
        self.assertEqual(len(floors.judge(table, row, "command")), 1)
        self.assertEqual(floors.judge(table, row, "command", fork=True), [])

    def test_depth_file(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(b"executions".ljust(24, b"\0") + (7).to_bytes(8, sys.byteorder) +
                    b"read".ljust(24, b"\0") + (3).to_bytes(8, sys.byteorder) + bytes(448))
            f.flush()
            self.assertEqual(floors.read_depth(Path(f.name)), {"executions": 7, "read": 3})
        self.assertEqual(floors.read_depth(Path("/nonexistent")), {})

    def test_a_row_that_is_none(self):
        with tempfile.NamedTemporaryFile("w") as f:
            for row in ("x 1 2 3 sip", "x 1 2 sip=1", "x 1 2 0", "x 1 2"):
                f.seek(0)
                f.truncate()
                f.write(f"x 1 2 3\n{row}\n")
                f.flush()
                with self.assertRaisesRegex(ValueError, ":2: "):
                    floors.read(Path(f.name))

    def test_each_target_has_a_row_with_its_layers(self):
        fuzz = CI.parent / "fuzz"
        table = floors.read(fuzz / "floors")
        macros = dict(re.findall(r'#define (FUZZ_\w+) (".*")', "".join(
            p.read_text() for p in fuzz.glob("*.h"))))
        self.assertEqual(sorted(table), sorted(p.stem[len("target_"):]
                                               for p in fuzz.glob("target_*.c")))
        for target, row in table.items():
            text = (fuzz / f"target_{target}.c").read_text()
            for header in re.findall(r'#include "(fuzz_(?:raw|story)\.h)"', text):
                text += (fuzz / header).read_text()
            layers = re.search(r"layers\[\] = \{(.*?)NULL\}", text, re.S)
            names = layers.group(1) if layers else ""
            for macro, names_of in macros.items():
                names = names.replace(macro, names_of)
            self.assertEqual(sorted(row.layers), sorted(re.findall(r'"(\w+)"', names)), target)


class Props(unittest.TestCase):
    LINE = ("ok    ws/cut                                 2000 cases    0.1 s   2.5% discarded  "
            "long 12.3%, with a close frame 3.0%, 40% of the time in draw, 55% in hold\n")

    def test_adds_up(self):
        r = properties.Result("ws/cut", "A sentence.")
        self.assertTrue(properties.read_result(self.LINE + "1 properties, seed 1: 0 failed\n", r))
        properties.read_result(self.LINE.replace("12.3", "14.3"), r)
        self.assertEqual((r.state, r.cases), ("ok", 4000))
        self.assertAlmostEqual(r.percent("long"), 13.3)
        self.assertAlmostEqual(r.percent("with a close frame"), 3.0)
        self.assertEqual(set(r.classes), {"long", "with a close frame"})

    def test_failure(self):
        r = properties.Result("ws/cut", "A sentence.")
        properties.read_result(
            self.LINE.replace("ok  ", "FAIL") + "property  ws/cut\nverdict   FAILS: events\n"
            "shrunk in 3 tries; replay it with\n      ci/replay --explain /b/ws-cut-1.tape\n", r)
        self.assertEqual((r.state, r.tape), ("FAIL", "/b/ws-cut-1.tape"))
        self.assertIn("FAILS: events", r.story)

    def test_crash(self):
        r = properties.Result("ws/cut", "A sentence.")
        properties.read_result("FAIL  ws/cut crashed; shrink and explain it with\n"
                               "      ci/replay --shrink --explain /b/ws-cut-crash.tape\n", r)
        self.assertEqual((r.state, r.tape), ("FAIL", "/b/ws-cut-crash.tape"))
        self.assertFalse(properties.read_result("", properties.Result("a", "b")))

    def test_list(self):
        self.assertEqual(properties.read_list("a/b     Some sentence.\nc/d\n"),
                         {"a/b": "Some sentence.", "c/d": ""})


# ---- what people see -----------------------------------------------------------------------------

FACTS = {
    "format": 1, "verdict": "findings", "status": 1, "when": "2030-01-01 00:00 UTC",
    "seconds": 60.0, "took": 59.5, "cores": 2, "seed": 7,
    "commit": {"hash": "0123456789abcdef", "subject": "A <subject>", "changed": True},
    "machine": {"system": "Linux", "processor": "", "memory": "1 GiB"},
    "versions": {"clang": "clang version 14"},
    "phases": [{"what": "build fuzz", "seconds": 3.0, "trouble": ""}], "trouble": ["x <y>"],
    "rows": [
        {"target": "uri", "engine": "libfuzzer", "words": "libFuzzer", "state": "done",
         "trouble": "", "executions": 1234567, "rate": 20576.1, "edges": 300, "features": 900,
         "corpus": 80, "stability": None, "findings": 1, "seconds": 60.0,
         "depth": {"executions": 1000, "read": 384},
         "points": [(0.1, 10, 5, 1), (30.0, 600000, 250, 70), (60.0, 1234567, 300, 80)]},
        {"target": "uri", "engine": "afl", "words": "AFL++", "state": "left out", "trouble": "",
         "executions": 0, "rate": 0.0, "edges": 0, "features": 0, "corpus": 0, "stability": None,
         "findings": 0, "seconds": 0.0, "depth": {}, "points": []}],
    "findings": [{"target": "uri", "kind": "abort", "title": "abort in <f>", "path": "build/f",
                  "size": 4, "was": 62, "command": "ci/replay --explain build/f",
                  "story": "<script>alert(1)</script>", "report": "==1==", "engines": ["afl"],
                  "count": 3}],
    "properties": [{"name": "ws/cut", "sentence": "Any cut.", "state": "ok", "cases": 2000,
                    "seconds": 0.1, "command": "", "discarded": 0.5,
                    "classes": [{"label": "long", "percent": 12.5}]}],
    "differential": {"state": "done", "trouble": "", "files": 9, "agreed": 8,
                     "program": "build/bin/sipws-diff",
                     "disagreements": [{"file": "corpus/a", "text": "a | b"}]},
    "court": True,
    "coverage": {"inputs": 80, "html": True, "trouble": "", "not_linked": ["ref/cli.c"],
                 "lines": [90, 100], "branches": [7, 10], "functions": [0, 0],
                 "files": [{"path": "ref/uri.c", "lines": [90, 100], "branches": [7, 10],
                            "functions": [0, 0]}]},
    "corpus": [{"target": "uri", "seeds": 3, "before": 100, "after": 80, "saved": None}],
    "not_run": [{"what": "uri under AFL++", "why": "the time was over"}],
}


class WellFormed(HTMLParser):
    VOID = {"meta", "rect", "line", "circle", "path"}

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


class Page(unittest.TestCase):
    def test_page(self):
        text = report.html(FACTS)
        p = WellFormed()
        p.feed(text)
        self.assertEqual((p.wrong, p.open), ([], []))
        # Nothing from elsewhere.
        self.assertEqual([x for x in p.links if not x.startswith("#")], ["coverage/index.html", "court.html"])
        self.assertNotIn("http", re.sub(r"http[^ ]*w3\.org[^ ]*", "", text))
        for want in ("1 finding", "ci/replay --explain build/f", "1,234,567",
                     "&lt;script&gt;alert(1)&lt;/script&gt;", "ref/uri.c", "90.0%", "Any cut.",
                     "the time was over", "x &lt;y&gt;", "<svg", "A &lt;subject&gt;"):
            self.assertIn(want, text)
        self.assertNotIn("<script>alert", text)

    def test_page_of_nothing(self):
        facts = dict(FACTS, verdict="trouble", status=2, rows=[], findings=[], properties=[],
                     differential=None, court=False, coverage=None, corpus=[], not_run=[], commit=None)
        p = WellFormed()
        p.feed(report.html(facts))
        self.assertEqual((p.wrong, p.open), ([], []))

    def test_files(self):
        with tempfile.TemporaryDirectory() as d:
            page = report.write(layout.Layout(d), FACTS)
            self.assertTrue(page.read_text().startswith("<!doctype html>"))
            facts = json.loads((page.parent / "report.json").read_text())
            self.assertEqual(facts["findings"][0]["size"], 4)

    def test_ticks(self):
        self.assertEqual(plot.ticks(10), [0, 5, 10])
        self.assertEqual(plot.ticks(3), [0, 1, 2, 3])
        for top in (0.3, 1, 7, 99, 12345, 9_999_999):
            t = plot.ticks(top)
            self.assertGreaterEqual(t[-1], top)
            self.assertLessEqual(len(t), 6)
        self.assertEqual([plot.label(v) for v in (0, 0.5, 20, 1500, 2e6)],
                         ["0", "0.5", "20", "1.5k", "2M"])

    def test_coverage(self):
        def part(count, covered):
            return {"count": count, "covered": covered}
        data = {"data": [{"files": [
            {"filename": f"/src/{n}", "summary": {"lines": part(10, 9), "branches": part(4, 1),
                                                  "functions": part(0, 0)}}
            for n in ("ref/b.c", "ref/a.c", "props/x.c")]}]}
        files = coverage.read_export(json.dumps(data), "/src")
        self.assertEqual([f.path for f in files], ["ref/a.c", "ref/b.c"])
        c = coverage.Coverage(files)
        self.assertEqual(c.total("branches"), (2, 8))
        self.assertIn("90.0%", coverage.table(c))
        self.assertIsNone(coverage.percent(0, 0))

    def test_screen(self):
        rows = [board.Row("uri", "afl", "AFL++", "runs", executions=1234, rate=99999, left=3.2),
                board.Row("msg", "afl", "AFL++", "waits")]
        lines = screen.table(rows)
        self.assertIn("1,234", lines[1])
        self.assertTrue(lines[2].endswith("waits"))
        self.assertEqual(screen.clip("\x1b[1mabcdef\x1b[0m", 3), "\x1b[1mabc\x1b[0m")
        many = [board.Row(f"t{i}", "afl", "AFL++", "waits") for i in range(50)] + rows
        self.assertIn(rows[0], screen.fit(many, 5))
        self.assertEqual(len(screen.fit(many, 5)), 5)
        self.assertEqual([screen.short(n) for n in (999, 12345, 1234567)],
                         ["999", "12.3k", "1.23M"])


# ---- the whole, with engines that are played -----------------------------------------------------

FUZZER = """#!/usr/bin/env python3
import os, signal, sys, time
flags = [a for a in sys.argv[1:] if a.startswith("-")]
names = [a for a in sys.argv[1:] if not a.startswith("-")]
def flag(name):
    return next((f.partition("=")[2] for f in flags if f.startswith("-" + name + "=")), None)
def crash():
    print("==1== ERROR: libFuzzer: deadly signal", file=sys.stderr)
    print("    #0 0x1 in broken %s/ref/uri.c:7:1" % ROOT, file=sys.stderr)
    print("SUMMARY: libFuzzer: deadly signal", file=sys.stderr)
ROOT = os.environ["FAKE_ROOT"]
MODE = os.environ.get("FAKE_MODE", "clean")
if flag("minimize_crash"):
    open(flag("exact_artifact_path"), "wb").write(b"bo")
    sys.exit(0)
if flag("merge"):
    open(os.path.join(names[0], "kept"), "wb").write(b"kept")
    sys.exit(0)
if names and os.path.isfile(names[0]):
    if b"bo" in open(names[0], "rb").read():
        crash()
        sys.exit(77)
    sys.exit(0)
if MODE == "dead":
    print("ERROR: no such library", file=sys.stderr)
    sys.exit(127)
if MODE == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
n = 0 if MODE == "idle" else 1000
passed = 99 if MODE == "shallow" else 100
with open(os.environ["SIPWS_DEPTH"], "wb") as f:
    for name, count in ((b"executions", 1000), (b"read", passed)):
        f.write(name.ljust(24, b"\\0") + count.to_bytes(8, sys.byteorder))
if MODE == "poor":
    print("#1000\\tINITED cov: 5 ft: 4 corp: 1/1b exec/s: 0 rss: 32Mb", file=sys.stderr, flush=True)
else:
    print("#%d\\tINITED cov: 5 ft: 5 corp: 1/1b exec/s: 0 rss: 32Mb" % n, file=sys.stderr, flush=True)
if MODE == "crash":
    path = flag("artifact_prefix") + "crash-1"
    open(path, "wb").write(b"xxboxx")
    crash()
    print("Test unit written to " + path, file=sys.stderr)
    sys.exit(77)
def over(*_):
    print("stat::number_of_executed_units: %d" % (n * 5), file=sys.stderr, flush=True)
    os._exit(72)
if MODE != "deaf":
    signal.signal(signal.SIGINT, over)
time.sleep(600)
"""

REPLAY = """#!/usr/bin/env python3
import sys
bad = b"bo" in open(sys.argv[-1], "rb").read()
print("target    x\\nverdict   " + ("crashed: Aborted" if bad else "holds"))
sys.exit(1 if bad else 0)
"""

PROPS = """#!/usr/bin/env python3
import os, sys
if "--list" in sys.argv:
    print("a/b   A sentence.")
    sys.exit(0)
if os.environ.get("FAKE_MODE") == "property":
    path = sys.argv[sys.argv.index("--save") + 1] + "/a-b-1.tape"
    open(path, "wb").write(b"sipws-tape 1 a/b\\nbo")
    print("FAIL  a/b   12 cases    0.1 s   0.0% discarded")
    print("property  a/b\\n          A sentence.\\nverdict   FAILS: claim, first diverging octet 1")
    print("      ci/replay --explain " + path)
    sys.exit(1)
print("ok    a/b   2000 cases    0.1 s   0.0% discarded  long 50.0%")
"""


class Checkout:
    """A checkout with nothing but played programs."""

    def __init__(self, mode, without=()):
        self.root = Path(tempfile.mkdtemp()).resolve()
        self.env = {**os.environ, "FAKE_MODE": mode, "FAKE_ROOT": str(self.root)}
        (self.root / "fuzz").mkdir()
        (self.root / "fuzz" / "target_x.c").write_text("")
        (self.root / "fuzz" / "target_selftest.c").write_text("")
        (self.root / "fuzz" / "floors").write_text("x  5  1  1  read=10\n")
        for path, text in (("build/fuzz/bin/fuzz-x", FUZZER), ("build/bin/sipws-replay", REPLAY),
                           ("ci/replay", REPLAY),
                           ("build/bin/sipws-props", PROPS)):
            if path not in without:
                program = self.root / path
                program.parent.mkdir(parents=True, exist_ok=True)
                program.write_text(text)
                program.chmod(0o755)

    def command(self, *args):
        return [sys.executable, str(CI / "fuzz"), "--no-build", "--root", str(self.root),
                "--engine", "libfuzzer", "--jobs", "2", *args]

    def start(self, *args, **how):
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **how}
        self.process = subprocess.Popen(self.command(*args), env=self.env, **how)
        return self

    def end(self):
        self.out, _ = self.process.communicate(timeout=90)
        return self.process.returncode

    def facts(self):
        return json.loads((self.root / "build/report/report.json").read_text())


class Whole(unittest.TestCase):
    """ci/fuzz itself. The runs mostly wait, so all go at the same time."""

    SECONDS = 6
    MODES = ("clean", "crash", "property", "dead", "idle", "deaf", "shallow", "poor")

    @classmethod
    def setUpClass(cls):
        cls.checkouts = {m: Checkout(m).start(str(cls.SECONDS)) for m in cls.MODES}
        cls.checkouts["not built"] = Checkout("clean", ("build/fuzz/bin/fuzz-x",)).start("6")

    @classmethod
    def tearDownClass(cls):
        for c in cls.checkouts.values():
            if c.process.poll() is None:
                c.process.kill()
            c.end()
            shutil.rmtree(c.root, True)

    def result(self, mode, status):
        c = self.checkouts[mode]
        self.assertEqual(c.end(), status, c.out)
        self.assertNotIn("Traceback", c.out)
        facts = c.facts()
        self.assertTrue((c.root / "build/report/index.html").exists())
        self.assertEqual(facts["status"], status)
        return c, facts

    def test_clean(self):
        _, facts = self.result("clean", 0)
        self.assertLessEqual(facts["took"], self.SECONDS)
        self.assertEqual([x["target"] for x in facts["rows"]], ["x"])  # selftest is not fuzzed
        self.assertEqual(facts["rows"][0]["executions"], 5000)
        self.assertGreater(facts["properties"][0]["cases"], 0)
        self.assertEqual(facts["corpus"][0]["after"], None)  # there was nothing to merge

    def test_a_harness_that_gets_nowhere_is_trouble(self):
        c, facts = self.result("shallow", 2)
        self.assertIn('the share past the layer "read" 9.90%, at least 10%', c.out)
        self.assertIn("next: build/fuzz/bin/fuzz-x", c.out)
        self.assertEqual(facts["rows"][0]["depth"], {"executions": 1000, "read": 99})
        c, _ = self.result("poor", 2)
        self.assertIn("features 4, at least 5", c.out)

    def test_a_planted_finding(self):
        c, facts = self.result("crash", 1)
        self.assertEqual(len(facts["findings"]), 1)
        f = facts["findings"][0]
        self.assertEqual((f["title"], f["size"], f["was"]),
                         ("abort in broken (ref/uri.c:7)", 2, 6))
        self.assertIn(f["command"], c.out)
        # The command does what it says.
        again = subprocess.run(f["command"].split(), cwd=c.root, capture_output=True, text=True)
        self.assertEqual(again.returncode, 1)
        self.assertIn("crashed", again.stdout)
        self.assertIn("crashed", f["story"])

    def test_a_failing_property(self):
        c, facts = self.result("property", 1)
        self.assertEqual(facts["findings"][0]["command"],
                         "ci/replay --explain build/findings/a-b-1.tape")
        self.assertIn(facts["findings"][0]["command"], c.out)

    def test_a_target_that_dies_is_trouble(self):
        _, facts = self.result("dead", 2)
        self.assertIn("no such library", facts["trouble"][0])

    def test_a_target_that_does_nothing_is_trouble(self):
        _, facts = self.result("idle", 2)
        self.assertIn("nothing was executed", facts["trouble"][0])

    def test_a_target_that_was_not_built_is_trouble(self):
        c, _ = self.result("not built", 2)
        self.assertIn("was not built", c.out)

    def test_a_target_that_does_not_listen_ends_in_time(self):
        _, facts = self.result("deaf", 0)
        self.assertLessEqual(facts["took"], self.SECONDS + 1)

    def test_ctrl_c(self):
        c = Checkout("clean").start("60")
        self.addCleanup(shutil.rmtree, c.root, True)
        log = c.root / "build/run/x-libfuzzer-0-0/log"
        for _ in range(400):
            if log.exists() and "INITED" in log.read_text():
                break
            time.sleep(0.05)
        c.process.send_signal(signal.SIGINT)
        self.assertEqual(c.end(), 130, c.out)
        self.assertNotIn("Traceback", c.out)
        self.assertEqual(c.facts()["verdict"], "interrupted")
        self.assertGreater(c.facts()["rows"][0]["executions"], 0)

    def test_on_a_terminal(self):
        ours, theirs = pty.openpty()
        c = Checkout("clean")
        self.addCleanup(shutil.rmtree, c.root, True)
        c.env["TERM"] = "xterm"
        c.start("6", stdout=theirs, stderr=theirs, text=False)
        os.close(theirs)
        out = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
        os.close(ours)
        self.assertEqual(c.end(), 0, out)
        self.assertIn(b"per second", out)
        self.assertGreater(len(re.findall(rb"\x1b\[\d+F\x1b\[J", out)), 5)

    def test_arguments(self):
        c = Checkout("clean")
        self.addCleanup(shutil.rmtree, c.root, True)
        for args in (["0"], ["-5"], ["abc"], ["--target", "none"], ["5", "--jobs", "0"], ["nan"]):
            c.start(*args)
            self.assertEqual(c.end(), 2, args)
            self.assertIn("usage:", c.out)


if __name__ == "__main__":
    unittest.main()
