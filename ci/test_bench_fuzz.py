#!/usr/bin/env python3
"""Tests of ci/bench-fuzz: its statistics on values that are known, what it reads of a diary, how it
divides time, and the page."""

import sys

sys.dont_write_bytecode = True

import json
import struct
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

CI = Path(__file__).resolve().parent
sys.path.insert(0, str(CI))

from benchfuzzlib import job, page, stats, trials
from fuzzlib import properties


class Statistics(unittest.TestCase):
    # Remission of 21 patients under 6-mercaptopurine (Freireich and others, 1963), with the estimate
    # that textbooks print.
    TIMES = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    SEEN = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]

    def test_kaplan_meier(self):
        want = {6: .857, 7: .807, 10: .753, 13: .690, 16: .627, 22: .538, 23: .448}
        got = dict(stats.kaplan_meier(self.TIMES, self.SEEN))
        self.assertEqual(set(got) - {0.0}, set(want))
        for t, share in want.items():
            self.assertAlmostEqual(got[t], share, delta=.0005)

    def test_kaplan_meier_without_events(self):
        self.assertEqual(stats.kaplan_meier([5, 5], [0, 0]), [(0.0, 1.0)])

    def test_restricted_mean(self):
        self.assertEqual(stats.restricted_mean([(0.0, 1.0)], 10), 10)
        self.assertEqual(stats.restricted_mean([(0.0, 1.0), (4, .5), (6, 0.0)], 10), 5)
        self.assertEqual(stats.restricted_mean([(0.0, 1.0), (4, .5), (60, 0.0)], 10), 7)
        # Without anything censored it is the mean.
        self.assertAlmostEqual(
            stats.restricted_mean(stats.kaplan_meier([1, 2, 6], [1, 1, 1]), 10), 3)

    def test_ranks(self):
        self.assertEqual(stats.ranks([10, 30, 20, 20]), [1, 4, 2.5, 2.5])

    def test_mann_whitney_exact(self):
        # Of the 20 ways to divide six values, 2 are as extreme as all above all.
        self.assertEqual(stats.mann_whitney([1, 2, 3], [4, 5, 6]), (0.0, .1))
        u, p = stats.mann_whitney([4, 5, 6], [1, 2, 3])
        self.assertEqual((u, p), (9.0, .1))
        # 10 against 10, all above: 2 of 184756.
        self.assertAlmostEqual(stats.mann_whitney(range(10, 20), range(10))[1], 2 / 184756)
        self.assertEqual(stats.mann_whitney([7, 7], [7, 7]), (2.0, 1.0))
        # The tables: for 5 and 5 values U = 2 is the largest that is significant at 5%.
        self.assertLess(stats.mann_whitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10])[1], .05)
        self.assertGreater(stats.mann_whitney([1, 2, 3, 5, 7], [4, 6, 8, 9, 10])[1], .05)

    def test_mann_whitney_normal(self):
        x, y = list(range(40)), list(range(10, 50))
        u, p = stats.mann_whitney(x, y)
        self.assertEqual(u, sum((a > b) + .5 * (a == b) for a in x for b in y))
        # U = 435 + 30 / 2; 30 pairs of ties; z = (800 - 450 - 0.5) / 103.905 = 3.3636.
        self.assertEqual(u, 450)
        self.assertAlmostEqual(p, .000769, delta=.000001)
        self.assertEqual(stats.mann_whitney([1] * 40, [1] * 40)[1], 1.0)

    def test_holm(self):
        got = stats.holm([.01, .04, .03, .005])
        for a, b in zip(got, [.03, .06, .06, .02]):
            self.assertAlmostEqual(a, b)
        self.assertEqual(stats.holm([.9, .8]), [1.0, 1.0])
        self.assertEqual(stats.holm([]), [])

    def test_a12(self):
        a, low, high = stats.a12([1, 2, 3], [1, 2, 3])
        self.assertEqual(a, .5)
        self.assertAlmostEqual(.5 - low, high - .5)
        a, low, high = stats.a12(range(10, 20), range(10))
        self.assertEqual((a, high), (1.0, 1.0))
        self.assertTrue(.7 < low < .95, low)  # it has a width
        a, low, high = stats.a12([0], [1])
        self.assertEqual((a, low), (0.0, 0.0))
        self.assertEqual(stats.a12([2, 2], [1, 3])[0], .5)

    def test_a12_narrows(self):
        few, many = stats.a12([1, 3] * 3, [0, 2] * 3), stats.a12([1, 3] * 30, [0, 2] * 30)
        self.assertEqual(few[0], many[0])
        self.assertLess(many[2] - many[1], few[2] - few[1])

    def test_median(self):
        self.assertEqual([stats.median(v) for v in ([], [3], [1, 2, 9], [4, 1, 2, 3])],
                         [None, 3, 2, 2.5])


class Diary(unittest.TestCase):
    def test_reads_what_canary_c_writes(self):
        names = ["A", "B"]
        depths = list(range(trials.DEPTHS))
        octets = struct.pack(f"<{1 + len(depths)}Q", 100, *depths)
        octets += struct.pack("<3Q", 0, 11, 0) + struct.pack("<3Q", 0, 21, 0)
        with tempfile.TemporaryDirectory() as tmp:
            (Path(tmp) / "diary").write_bytes(octets + bytes(64))
            got = trials.read_diary(Path(tmp), names)
        self.assertEqual(got["executions"], 100)
        self.assertEqual(got["depths"], depths)
        self.assertEqual(got["reached"], {"A": 0.010})
        self.assertEqual(got["triggered"], {"A": 0.020})

    def test_no_diary(self):
        with tempfile.TemporaryDirectory() as tmp:
            self.assertEqual(trials.read_diary(Path(tmp), ["A"])["executions"], 0)


class Plan(unittest.TestCase):
    def test_short_and_full(self):
        n, seconds = trials.plan(5, 2, 4)
        self.assertGreaterEqual(n, 1)
        self.assertLessEqual(n * 4 * seconds, 5 * 60 * 2 + 1)
        n, seconds = trials.plan(120, 2, 4)
        self.assertGreaterEqual(n, 10)
        self.assertLessEqual(n * 4 * seconds, 120 * 60 * 2 + 1)

    def test_jobs_take_turns(self):
        jobs = trials.order(3, ["a", "b", "c"])
        self.assertEqual(sorted(jobs), sorted((t, c) for t in range(3) for c in "abc"))
        self.assertEqual([t for t, _ in jobs], [0] * 3 + [1] * 3 + [2] * 3)
        self.assertEqual({jobs[0][1], jobs[3][1], jobs[6][1]}, set("abc"))

    def test_slices(self):
        got = trials.slices([("a", 1), ("b", 3)], 40, 1)
        self.assertEqual(got, [("b", 30.0), ("a", 10.0)])
        self.assertEqual(sum(s for _, s in got), 40)


def facts():
    plants = [{"name": "P", "class": "W1", "oracle": "ws/twin", "text": "breaks"},
              {"name": "Q", "class": "S1", "oracle": "msg/x", "text": "breaks <too>"}]
    def trial(found):
        return {"seconds": 10.0, "executions": 1000, "depths": [500, 100, 100, 100, 100, 100],
                "trouble": [],
                "plants": {"P": {"reached": .5, "triggered": 1.0, "found": found, "labelled": found,
                                 "by": "ws"}}}
    configs = [{"name": n, "words": n, "trials": [trial(t), trial(t + 1)]}
               for n, t in (("ours", 2.0), ("libfuzzer", 4.0), ("afl", 6.0), ("random", 8.0))]
    return {"when": "2026-01-01 00:00 UTC", "command": "ci/bench-fuzz 1", "commit": None,
            "cores": 2, "load": [1.0, 2.0], "cpu_share": .9, "trial_seconds": 10.0, "trials": 2, "minutes": 1.0,
            "partial": False, "versions": {"clang": "14"}, "plants": plants, "configs": configs,
            "trouble": []}


class Job(unittest.TestCase):
    PLANTS = [{"name": n, "class": "", "oracle": o, "text": ""} for n, o in (
        ("EARLY", "a/b"), ("LATE", "a/b"), ("TOO_LATE", "a/b"), ("OTHER", "not/run"), ("DEADLY", "a/b"))]
    PROPS = """#!/bin/sh
# --cases N --seed S --save DIR NAME
[ "$SIPWS_PLANT" = DEADLY ] && kill -SEGV $$
word=ok
[ "$SIPWS_PLANT" = EARLY ] && word=FAIL
[ "$SIPWS_PLANT" = LATE ] && [ $4 = 6 ] && word=FAIL
[ "$SIPWS_PLANT" = TOO_LATE ] && [ $4 = 7 ] && word=FAIL
echo "$word $7 $2 cases 1.0 s 0.0% discarded"
[ $word = ok ]
"""

    def test_a_property_has_the_cases_that_the_session_had(self):
        with tempfile.TemporaryDirectory() as d:
            layout = job.Watched(d, Path(d) / "job")
            layout.where.mkdir()
            program = job.props_program(layout)
            program.parent.mkdir(parents=True)
            program.write_text(self.PROPS)
            program.chmod(0o755)

            class Session:
                seed, cores = 5, 2

                class properties:
                    results = [properties.Result("a/b", "", cases=properties.CASES + properties.cases_of(1)),
                               properties.Result("not/run", "")]

            self.assertEqual(job.by_properties(layout, Session, self.PLANTS),
                             {"EARLY": properties.CASES, "LATE": properties.CASES + properties.cases_of(1), "DEADLY": 1})

    def test_each_that_was_missed_is_named(self):
        rows = job.facts(self.PLANTS, {"EARLY": 7}, {
            "LATE": {"found": 1.0, "by": "msg", "labelled": 3.0},
            "TOO_LATE": {"found": 1.0, "by": "msg", "labelled": None}}, {"OTHER"}, {"LATE", "TOO_LATE"})
        self.assertEqual([bool(r["found"]) for r in rows], [True, True, False, False, False])
        text = job.lines(rows)
        self.assertEqual(len(text), 4)
        self.assertRegex(text[0], "^missed  TOO_LATE .*triggered, found by msg$")
        self.assertRegex(text[1], "^missed  OTHER .* reached$")
        self.assertRegex(text[2], "^missed  DEADLY .*not reached$")
        self.assertEqual(text[3], "2 of 5 plants were found by their own oracle (40.0%)")

    def test_it_takes_the_programs_that_watch(self):
        with tempfile.TemporaryDirectory() as d:
            at = job.Watched(d, Path(d) / "job")
            folder = at.folder("fuzz")
            folder.mkdir(parents=True)
            (folder / "targets-left-out").write_text("peers: nobody is here\n")
            self.assertEqual(at.left_out("fuzz"), {"peers": "nobody is here"})
            self.assertEqual(at.fuzzer("fuzz", "msg").parent, folder / "bin")
            self.assertEqual(at.watch("msg")["SIPWS_CANARY_LOG"], str(at.watched("msg")))
            self.assertTrue(at.watched("msg").is_dir())


class Page(unittest.TestCase):
    def test_summary(self):
        f = facts()
        page.summarise(f)
        s = f["summary"]
        self.assertEqual(s["ours"]["found"], ["P"])
        self.assertEqual(s["ours"]["per_trial"], [1, 1])
        self.assertEqual(f["nobody"], ["Q"])
        # P after 2 and 3 seconds, Q never: (2 + 3 + 10 + 10) / 4.
        self.assertAlmostEqual(s["ours"]["restricted_mean"], 6.25)
        self.assertEqual({c["other"] for c in f["comparisons"]}, {"libfuzzer", "afl", "random"})
        sooner = next(c for c in f["comparisons"]
                      if c["other"] == "afl" and c["what"] == "mean time to a plant")
        self.assertEqual(sooner["a12"][0], 0.0)  # ours is below
        self.assertAlmostEqual(sooner["p"], 1 / 3)

    def test_losses_are_told(self):
        f = facts()
        for trial in f["configs"][0]["trials"]:
            trial["plants"] = {}
        page.summarise(f)
        self.assertEqual({(x["name"], x["to"]) for x in f["losses"]},
                         {("P", "libfuzzer"), ("P", "afl"), ("P", "random")})
        self.assertIn("P", page.html(f))

    def test_html_is_sound(self):
        f = facts()
        page.summarise(f)
        text = page.html(f)
        stack = []

        class Check(HTMLParser):
            def handle_starttag(self, tag, attrs):
                if tag not in ("meta", "br"):
                    stack.append(tag)

            def handle_startendtag(self, tag, attrs):
                pass

            def handle_endtag(self, tag):
                assert stack and stack[-1] == tag, (stack[-3:], tag)
                stack.pop()

        Check().feed(text)
        self.assertEqual(stack, [])
        self.assertIn("breaks &lt;too&gt;", text)
        json.dumps(f)


if __name__ == "__main__":
    unittest.main()
