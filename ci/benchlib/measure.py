"""Runs sipws-bench and callgrind, and makes numbers of what they print."""

import json
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path


class Trouble(Exception):
    """What went wrong, for people."""


class Absent(Trouble):
    """A tool is not here."""


def lines(command, **options):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **options)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["nothing on standard error"])[-1]
        raise Trouble(f"{Path(str(command[0])).name} ended with status {done.returncode}: {last}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def quartiles(values):
    if len(values) < 2:
        return [values[0]] * 3
    return statistics.quantiles(values, n=4, method="inclusive")


class Rounds:
    """What one run over one set of inputs printed: nanoseconds by subject and round."""

    def __init__(self, printed):
        self.refused = {p["subject"]: (p["refused"], p["inputs"]) for p in printed if "refused" in p}
        self.ns = {}
        for p in printed:
            if "round" in p:
                self.ns.setdefault(p["subject"], {})[p["round"]] = p["ns"]

    def median(self, subject):
        return statistics.median(self.ns[subject].values())

    def ratio(self, slow, fast):
        """How many times longer `slow` takes: quartiles of the ratios of the rounds of both."""
        return quartiles([self.ns[slow][r] / self.ns[fast][r] for r in self.ns[slow]
                          if r in self.ns[fast]])

    def table(self):
        return {s: {"ns": round(self.median(s), 1), "quartiles": [round(q, 1) for q in
                                                                  quartiles(list(self.ns[s].values()))],
                    "rounds": len(self.ns[s]), "refused": self.refused[s][0],
                    "inputs": self.refused[s][1]} for s in self.ns}


def instructions(binary, tier, pack):
    """[(instructions, octets, accepted)], one for each message of the pack, each parsed once."""
    if not shutil.which("valgrind"):
        raise Absent("valgrind is not here, and the processor's own counters are not asked")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        cases = lines(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                       "--toggle-collect=bench_case", "--dump-after=bench_case",
                       binary, "once", tier, pack])
        counts = []
        for i in range(len(cases)):
            text = Path(f"{out}.{i + 1}").read_text(encoding="utf-8", errors="replace")
            counts.append(int(re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1]))
    return [(n, c["octets"], c["accepted"]) for n, c in zip(counts, cases)]
