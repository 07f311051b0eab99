"""Configurations, one trial of each on one core, and what its diary says (fuzz/canary.c)."""

import math
import os
import shutil
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

from fuzzlib.engines import libfuzzer_flags, sanitizer_env
from fuzzlib.process import Child

# Targets of raw octets: what a fuzzing engine is given where nobody has written generators.
RAW = ["conn_client", "conn_server", "field", "http", "msg", "proxy", "uri", "ws"]
# Ask other stacks, and for time: no oracles for what ref does.
LEFT_OUT = ["cost", "peers"]
# Targets whose inputs are tapes (fuzz/tapes.c).
TAPES = ["policy", "print", "props", "story_client", "story_pair", "story_server"]
# Of ours, the share of the time of each; a target that is not named here, and a raw one that
# fuzz/mutate.def gives a mutator, has 1.
SHARES = {"props": 8, "story_server": 2, "story_client": 1, "story_pair": 1, "print": 1}

DEPTH_NAMES = ["nowhere", "handshake", "frames", "SIP", "sound SIP", "dialog"]
DEPTHS = len(DEPTH_NAMES)

TRIALS = 10          # of the full setting
SHORTEST = 60.0      # seconds of a trial, above which more trials come before longer ones
LEAST_SLICE = 4.0    # seconds of one target


@dataclass
class Config:
    name: str     # also the folder below build/bench
    words: str
    engine: str   # libfuzzer or afl
    build: str    # folder of its programs
    prefix: str   # of their names
    targets: list  # (name, share)


def configs(layout):
    targets = [t for t in layout.targets() if t not in LEFT_OUT]
    raw = [(t, 1) for t in RAW if t in targets]
    made = [(t, SHARES.get(t, 1)) for t in targets
            if t not in RAW or layout.mutated(t, "libfuzzer")]
    by_tape = [(t, share) for t, share in made if t in TAPES]
    return [
        Config("ours", "ours: stories, properties and structure", "libfuzzer", "ours", "fuzz", made),
        Config("libfuzzer", "libFuzzer on raw octets, with seeds and dictionary", "libfuzzer", "raw",
               "fuzz", raw),
        Config("afl", "AFL++ on raw octets, with seeds, dictionary and CMPLOG", "afl", "afl", "fuzz",
               raw),
        Config("random", "ours with choices by chance, without coverage", "libfuzzer", "ours",
               "random", by_tape),
    ]


def plan(minutes, cores, configurations):
    """(trials, seconds of one) that fit into the time: 10 trials in the full setting, as long as they
    get; below that fewer, of a minute each."""
    all_seconds = minutes * 60 * cores / configurations
    n = max(1, min(TRIALS, math.floor(all_seconds / SHORTEST)))
    return n, all_seconds / n


def order(trials, names):
    """(trial, configuration): no configuration always has the same turn, so that what else the
    machine does hits all alike."""
    return [(t, names[(i + t) % len(names)]) for t in range(trials) for i in range(len(names))]


def slices(targets, seconds, turn):
    """(target, seconds): by shares, each trial starting with another target."""
    whole = sum(share for _, share in targets)
    k = turn % len(targets)
    return [(t, seconds * share / whole) for t, share in targets[k:] + targets[:k]]


def read_diary(folder, names):
    """What struct diary of fuzz/canary.c has; times in seconds."""
    out = {"executions": 0, "depths": [0] * DEPTHS, "reached": {}, "triggered": {}}
    path, n = folder / "diary", len(names) + 1
    head = 8 * (1 + DEPTHS + 2 * n)
    data = path.read_bytes()[:head] if path.exists() else b""
    if len(data) < head:
        return out
    values = struct.unpack(f"<{head // 8}Q", data)
    out["executions"], out["depths"] = values[0], list(values[1:1 + DEPTHS])
    for key, begin in (("reached", 1 + DEPTHS), ("triggered", 1 + DEPTHS + n)):
        times = values[begin + 1:begin + n]  # the first stands for no plant
        out[key] = {name: (t - 1) / 1000 for name, t in zip(names, times) if t}
    return out


@dataclass
class Trial:
    """One configuration, for some seconds, on one core."""
    layout: object
    config: Config
    number: int
    seconds: float
    core: int
    folder: Path
    trouble: list = field(default_factory=list)
    child: object = None
    begun: float = 0.0
    spent: float = 0.0
    target: str = ""

    def start(self):
        self.todo = slices(self.config.targets, self.seconds, self.number)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.begun, self.wall = time.monotonic(), time.time()
        self.used = 0.0
        self._next()

    def log_of(self, target):
        return self.folder / target

    def _next(self):
        if not self.todo:
            self.child = None
            return
        self.target, seconds = self.todo.pop(0)
        self.used += seconds
        self.until = self.begun + self.used
        seconds = max(1.0, self.until - time.monotonic())
        where = self.log_of(self.target)
        work = where / "work"
        work.mkdir(parents=True)
        env = {"SIPWS_CANARY_LOG": str(where), "SIPWS_CANARIES": str(where / "counts"),
               "SIPWS_CANARY_START": f"{self.wall:.3f}"}
        launch = self._afl if self.config.engine == "afl" else self._libfuzzer
        command, more = launch(work, seconds)
        self.child = Child(["taskset", "-c", self.core, *command], where / "log", cwd=work,
                           env={**env, **more})

    def _program(self):
        return self.layout.build / "bench" / self.config.build / "bin" / \
            f"{self.config.prefix}-{self.target}"

    def _libfuzzer(self, work, seconds):
        corpus = work / "corpus"
        corpus.mkdir()
        flags = [f"-max_total_time={math.ceil(seconds) + 1}", f"-seed={self.number + 1}",
                 "-print_final_stats=1", f"-artifact_prefix={work}/", "-reload=0",
                 *libfuzzer_flags(self.layout, self.target)]
        return ([self._program(), *flags, corpus, *self.layout.given(self.target)],
                sanitizer_env(self.layout.options(self.target)))

    def _afl(self, work, seconds):
        seeds = work / "in"
        seeds.mkdir()
        for i, path in enumerate(self.layout.given_files(self.target)):
            if path.stat().st_size:
                shutil.copyfile(path, seeds / f"{i:05}")
        if not any(seeds.iterdir()):
            (seeds / "first").write_bytes(b"\n")
        options = self.layout.options(self.target).get("libfuzzer", {})
        flags = ["-V", math.ceil(seconds) + 1, "-t", "5000", "-m", "none", "-c", "0",
                 "-s", self.number + 1]
        if "max_len" in options:
            flags += ["-G", options["max_len"]]
        dictionary = self.layout.dictionary(self.target)
        if dictionary:
            flags += ["-x", dictionary]
        env = {name: "1" for name in (
            "AFL_NO_UI", "AFL_SKIP_CPUFREQ", "AFL_NO_AFFINITY", "AFL_FAST_CAL",
            "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES")}
        env.update(
            AFL_FORKSRV_INIT_TMOUT="30000",
            ASAN_OPTIONS="abort_on_error=1:symbolize=0:detect_leaks=0:malloc_context_size=0:"
                         "allocator_may_return_null=1",
            UBSAN_OPTIONS="halt_on_error=1:abort_on_error=1:symbolize=0")
        return ["afl-fuzz", "-i", seeds, "-o", work / "out", *flags, "--", self._program()], env

    def _findings(self, work):
        names = ["crash-*", "timeout-*", "oom-*", "leak-*"]
        if self.config.engine == "afl":
            names = ["out/default/crashes/id*", "out/default/hangs/id*"]
        return [p for name in names for p in sorted(work.glob(name))]

    def poll(self):
        """True when the trial is over."""
        if self.child is None:
            return True
        now = time.monotonic()
        early = not self.child.running()
        if not early and now < self.until:
            return False
        self.child.stop()
        if self.child.running():
            return False
        work = self.log_of(self.target) / "work"
        found = self._findings(work)
        if found:
            # Nothing is broken in this build: what fails is a bug of sipws itself, or of the bench.
            self.trouble.append(f"{self.config.name}, trial {self.number + 1}, {self.target}: the clean "
                                f"build trips: {self.layout.relative(found[0])}")
        elif early and self.until - now > 3:
            self.trouble.append(f"{self.config.name}, trial {self.number + 1}, {self.target}: ended "
                                f"{self.until - now:.0f} s early with status {self.child.status}; see "
                                f"{self.layout.relative(self.child.log)}")
        if not found:
            shutil.rmtree(work, ignore_errors=True)
        self._next()
        if self.child is None:
            self.spent = time.monotonic() - self.begun
        return self.child is None

    def end(self):
        """At once, as far as it got."""
        if self.child is not None:
            if self.child.running():
                self.child.kill()
            self.child, self.todo = None, []
            self.spent = time.monotonic() - self.begun

    def diaries(self, names):
        return {t: read_diary(self.log_of(t), names) for t, _ in self.config.targets
                if self.log_of(t).is_dir()}


class Cores:
    """Trials that wait for a core; each runs on one, and pinned to it."""

    def __init__(self, jobs, cores):
        self.jobs, self.cores = list(jobs), list(cores)
        self.running, self.done = [], []
        self.stopped = False

    def step(self):
        """Starts and polls. False: all is over."""
        busy = {t.core for t in self.running}
        for core in self.cores:
            if core not in busy and self.jobs and not self.stopped:
                trial = self.jobs.pop(0)
                trial.core = core
                trial.start()
                self.running.append(trial)
        for trial in list(self.running):
            if trial.poll():
                self.running.remove(trial)
                self.done.append(trial)
        return bool(self.running) or (bool(self.jobs) and not self.stopped)

    def stop(self):
        self.stopped = True
        for trial in self.running:
            trial.end()
            self.done.append(trial)
        self.running = []


def cores_here(n):
    """Numbers of the cores that may be used, at most n of them."""
    here = sorted(os.sched_getaffinity(0))
    return here[:n] if n else here
