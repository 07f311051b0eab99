"""One run of a target under libFuzzer or AFL++, and how to read what they say.

A run has what the table and the report show: executions, rate, edges, corpus, stability, points of
growth (seconds, executions, edges, corpus), and files that may be findings.
"""

import hashlib
import itertools
import math
import os
import platform
import random
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import build, floors
from .layout import files_of
from .process import Child

# Preset, words for people, share of the time, seconds below which it hardly gets to fuzzing: AFL++
# runs every seed several times first. Of targets, fuzz/floors has the shares. libFuzzer executes twice as
# much in a second as AFL++ and finds more new edges by it; MemorySanitizer sees what is rare.
ENGINES = {
    "libfuzzer": ("fuzz", "libFuzzer, ASan and UBSan", 3.0, 2.0),
    "afl": ("afl", "AFL++", 2.0, 3.0),
    "msan": ("msan", "libFuzzer, MSan", 1.0, 2.0),
}

TIMEOUT = 5      # seconds for one input; .options may say otherwise
RSS = 2048       # MB
POINTS = 240     # of a curve; more are thinned
RESTARTS = 3     # of a run that a finding has ended
SEEDS_A_SECOND = 60  # of the working corpus that AFL++ starts from


@dataclass
class Stats:
    executions: int = 0
    rate: float = 0.0            # executions per second
    edges: int = 0
    features: int = 0            # libFuzzer's
    corpus: int = 0
    stability: float = None      # percent, AFL++'s
    rss: int = 0                 # MB
    cpu: float = 0.0             # seconds of processor time
    depth: dict = field(default_factory=dict)  # layer -> executions that passed it
    started: bool = False        # all seeds were run
    points: list = field(default_factory=list)  # (seconds, executions, edges, corpus)

    def point(self, seconds):
        p = (round(seconds, 2), self.executions, self.edges, self.corpus)
        if self.points and self.points[-1][1:] == p[1:]:
            return
        self.points.append(p)
        if len(self.points) > 2 * POINTS:
            self.points[1:-1] = self.points[1:-1:2]


# ---- libFuzzer -----------------------------------------------------------------------------------

_STATUS = re.compile(r"^#(\d+)\s+([A-Za-z_]+)\s+(.*)$")
_FORKED = re.compile(r"^#(\d+):\s+()(cov: .*)$")  # of -fork
_FIELD = re.compile(r"(cov|ft|corp|exec/s|rss): (\d+)")
_FINAL = re.compile(r"^stat::(\w+):\s+(\d+)")
_ARTIFACT = re.compile(r"Test unit written to (.+)$")


def read_libfuzzer(line, stats):
    """Takes a line of libFuzzer's into stats. Returns the file of a finding, or None."""
    m = _STATUS.match(line) or _FORKED.match(line)
    if m:
        values = {k: int(v) for k, v in _FIELD.findall(m.group(3))}
        if not values and m.group(2) != "pulse":
            return None
        stats.started = stats.started or m.group(2) != "pulse"
        stats.executions = max(stats.executions, int(m.group(1)))
        stats.edges = max(stats.edges, values.get("cov", 0))
        stats.features = max(stats.features, values.get("ft", 0))
        stats.corpus = values.get("corp", stats.corpus)
        stats.rss = max(stats.rss, values.get("rss", 0))
        return None
    m = _FINAL.match(line)
    if m:
        if m.group(1) == "number_of_executed_units":
            stats.executions = max(stats.executions, int(m.group(2)))
        elif m.group(1) == "peak_rss_mb":
            stats.rss = max(stats.rss, int(m.group(2)))
        return None
    m = _ARTIFACT.search(line)
    return m.group(1).strip() if m else None


def sanitizer_env(options, extra=""):
    """The sanitizers' options: ours, those of fuzz-NAME.options, and last the user's."""
    ours = {
        # A case is over soon: a small quarantine finds as much, and saves a third of the time.
        "asan": "allocator_may_return_null=1:detect_stack_use_after_return=1:quarantine_size_mb=16",
        "ubsan": "print_stacktrace=1:halt_on_error=1",
        "msan": "",
    }
    env = {}
    for name, text in ours.items():
        parts = [text] + [f"{k}={v}" for k, v in options.get(name, {}).items()]
        parts.append(os.environ.get(f"{name.upper()}_OPTIONS", ""))
        joined = ":".join(p for p in parts + [extra] if p)
        if joined:
            env[f"{name.upper()}_OPTIONS"] = joined
    symbolizer = build.llvm("llvm-symbolizer")
    if symbolizer:
        for name in ("ASAN", "MSAN", "UBSAN"):
            env.setdefault(f"{name}_SYMBOLIZER_PATH", symbolizer)
    env.update(options.get("env", {}))
    return env


def libfuzzer_flags(layout, target):
    options = layout.options(target).get("libfuzzer", {})
    # The entropic schedule counts, at every input, how rare each of its features is: half of the time of
    # a target with ten thousand features. Without it that target runs three to five times as often, and
    # has more edges after as many seconds of processor time.
    flags = {"timeout": str(TIMEOUT), "rss_limit_mb": str(RSS), "entropic": "0"}
    flags.update({k: v for k, v in options.items() if k != "dict"})
    dictionary = layout.dictionary(target)
    if dictionary:
        flags["dict"] = str(dictionary)
    return [f"-{k}={v}" for k, v in flags.items()]


class Run:
    """What both engines have in common. `seconds` is given when it starts."""

    kind = "fuzz"

    def __init__(self, layout, target, engine, seconds, worker=0, turn=0):
        self.layout, self.target, self.engine = layout, target, engine
        self.deadline = float("inf")  # the runner's: nothing goes on longer
        self.worker, self.turn = worker, turn
        self.wanted = seconds
        self.seconds = seconds
        self.stats = Stats()
        self.artifacts = []      # files that may be findings
        self.state = "waits"     # waits, runs, done, failed, left out
        self.trouble = ""        # why it failed
        self.note = ""           # what it did not get to
        self.binary = layout.fuzzer(ENGINES[engine][0], target)
        self.dir = layout.work / f"{target}-{engine}-{worker}-{turn}"
        self.child = None
        self.begun = None
        self.ended = None
        self.interrupted = False
        self.cpu_before = 0.0    # of the processes before this one

    @property
    def name(self):
        return f"{self.target} under {ENGINES[self.engine][1]}"

    def start(self, seconds):
        self.seconds = seconds
        self.begun = time.monotonic()
        self.state = "runs"
        if self.dir.exists():
            shutil.rmtree(self.dir)
        self.dir.mkdir(parents=True)
        self.layout.corpus(self.target).mkdir(parents=True, exist_ok=True)
        if not os.access(self.binary, os.X_OK):
            self.fail(f"{self.layout.relative(self.binary)} was not built")
            return
        self.launch(seconds)

    def fail(self, why):
        self.state, self.trouble = "failed", why
        self.ended = time.monotonic()

    def elapsed(self):
        return 0.0 if self.begun is None else (self.ended or time.monotonic()) - self.begun

    def measure(self):
        """What the kernel and the target itself tell."""
        self.stats.cpu = max(self.stats.cpu, self.cpu_before + self.child.cpu())
        self.stats.depth = floors.read_depth(self.dir / "depth") or self.stats.depth

    def target_env(self):
        return {"SIPWS_DEPTH": str(self.dir / "depth"), **self.layout.watch(self.target)}

    def left(self):
        """Seconds, None when it does not run."""
        return max(0.0, self.seconds - self.elapsed()) if self.state == "runs" else None

    def time_is_over(self):
        """A busy machine takes long to run the seeds: a run gets up to twice its time for that."""
        now, spent = time.monotonic(), self.elapsed()
        return spent >= self.seconds and (self.ready() or now >= self.deadline
                                          or spent >= 2 * self.seconds + 5)

    def interrupt(self):
        self.interrupted = True
        if self.child:
            self.child.stop()

    def kill(self):
        if self.child and self.child.running():
            self.child.kill()

    def finish(self):
        self.ended = time.monotonic()
        self.stats.rate = self.stats.executions / max(self.elapsed(), 0.01)
        if self.state == "runs":
            self.state = "done"

    def judge(self):
        """Floors: a run that tested nothing is trouble, not a success."""
        if self.state != "done" or self.interrupted:
            return
        if self.stats.executions == 0:
            self.state, self.trouble = "failed", "nothing was executed: " + self.last_words()
        elif self.stats.edges == 0 and not self.artifacts and self.ready():
            self.state, self.trouble = "failed", "no edge was seen: is it instrumented?"
        elif not self.ready() and not self.artifacts:
            self.note = "only seeds were run; the time was over before it had run them all"

    def last_words(self):
        """The line of the log that says most about why it ended."""
        try:
            lines = self.child.log.read_text(errors="replace").splitlines()
        except (OSError, AttributeError):
            return "no log"
        lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", s).strip() for s in lines[-200:]]
        lines = [s for s in lines if s]
        for pattern in (r"PROGRAM ABORT|ERROR:|FATAL", r"SUMMARY|error|cannot|No such"):
            for s in lines:
                if re.search(pattern, s):
                    return s[:200]
        return lines[-1][:200] if lines else "it said nothing"


class LibFuzzer(Run):
    def launch(self, seconds):
        self.restarts = 0
        self.before = 0  # executions of the processes before this one
        self._spawn(seconds)

    def _spawn(self, seconds):
        self.now = Stats()
        command = [self.binary, f"-max_total_time={math.ceil(seconds)}", "-print_final_stats=1",
                   f"-artifact_prefix={self.dir}/", "-reload=1",
                   *libfuzzer_flags(self.layout, self.target),
                   *([f"-fork={self.layout.fork}"] if self.layout.fork else []),
                   self.layout.corpus(self.target), *self.layout.given(self.target)]
        self.cpu_before = self.stats.cpu
        self.child = Child(command, self.dir / "log", cwd=self.dir,
                           env={**sanitizer_env(self.layout.options(self.target)),
                                **self.target_env()})

    def poll(self):
        """Reads on. True when it is over."""
        if self.state == "failed":
            return True
        self.measure()
        running = self.child.running()
        found = None
        for line in self.child.lines():
            found = read_libfuzzer(line, self.now) or found
        s = self.stats
        s.executions = self.before + self.now.executions
        s.edges = max(s.edges, self.now.edges)
        s.features = max(s.features, self.now.features)
        s.corpus = self.now.corpus or s.corpus
        s.started = s.started or self.now.started
        s.rss = max(s.rss, self.now.rss)
        s.rate = s.executions / max(self.elapsed(), 0.2)
        s.point(self.elapsed())
        if found:
            self.artifacts.append(Path(found))
        if running:
            if self.time_is_over():
                self.child.stop()
            return False
        return self._over(found)

    def ready(self):
        return self.stats.started

    def _over(self, found):
        again = found and not self.interrupted and self.restarts < RESTARTS
        if again and self.seconds - self.elapsed() > 1.5:
            self.restarts += 1
            self.before += self.now.executions
            self._spawn(self.seconds - self.elapsed())
            return False
        self.finish()
        if not self.artifacts and not self.interrupted:
            if self.child.status not in (0, 72, -2) and not self.child.killed:
                self.fail(f"ended with status {self.child.status}: {self.last_words()}")
        self.judge()
        return True


# ---- AFL++ ---------------------------------------------------------------------------------------

_AFL_FILE = re.compile(r"^id:(\d+),.*?time:(\d+),execs:(\d+)")


def read_fuzzer_stats(text):
    """fuzzer_stats as {key: text}."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {k.strip(): v.strip() for k, _, v in pairs}


def read_plot_data(text):
    """(seconds, executions, edges, corpus) from AFL++'s plot_data, whatever its columns are."""
    header, points = [], []
    for line in text.splitlines():
        if line.startswith("#"):
            header = [c.strip() for c in line.lstrip("# ").split(",")]
            continue
        row = dict(zip(header, (c.strip() for c in line.split(","))))
        try:
            points.append((float(row["relative_time"]), int(row["total_execs"]),
                           int(row["edges_found"]), int(row["corpus_count"])))
        except (KeyError, ValueError):
            continue
    return points


def take_afl_stats(text, stats):
    values = read_fuzzer_stats(text)

    def number(key):
        try:
            return float(values.get(key, "0").rstrip("%"))
        except ValueError:
            return 0.0

    stats.executions = max(stats.executions, int(number("execs_done")))
    stats.edges = max(stats.edges, int(number("edges_found")))
    stats.corpus = max(stats.corpus, int(number("corpus_count")))
    stats.rss = max(stats.rss, int(number("peak_rss_mb")))
    if "stability" in values and stats.executions:
        stats.stability = number("stability")


ASAN_WORKER = 1  # of those that run at the same time, the one with sanitizers

# No name that afl-fuzz does not know: of one it warns, and sleeps for two seconds.
AFL_ENV = {
    "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1",
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_FAST_CAL": "1",
    "AFL_FORKSRV_INIT_TMOUT": "20000",
    # What AFL++ wants of the sanitizers, whatever the user's own options are.
    "ASAN_OPTIONS": "abort_on_error=1:symbolize=0:detect_leaks=0:malloc_context_size=0:"
                    "allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:symbolize=0",
}


class Afl(Run):
    team = 1       # how many run at the same time
    member = None  # its folder, where they share one

    def launch(self, seconds):
        seeds = self.dir / "in"
        seeds.mkdir()
        given = self.layout.given_files(self.target)
        kept = files_of(self.layout.corpus(self.target))
        if len(kept) > SEEDS_A_SECOND * seconds:
            # All of them would take all of the time; over many runs each has its turn.
            kept = random.sample(kept, int(SEEDS_A_SECOND * seconds))
        taken = set()
        for path in given + kept:
            data = path.read_bytes()
            name = hashlib.sha1(data).hexdigest()
            if data and len(data) < 1 << 20 and name not in taken:
                taken.add(name)
                (seeds / name).write_bytes(data)
        if not taken:
            (seeds / "first").write_bytes(b"\n")
        options = self.layout.options(self.target).get("libfuzzer", {})
        flags = ["-t", f"{int(options.get('timeout', TIMEOUT)) * 1000}", "-m", "none"]
        if "max_len" in options:
            flags += ["-G", options["max_len"]]
        dictionary = self.layout.dictionary(self.target)
        if dictionary:
            flags += ["-x", dictionary]
        env = {**AFL_ENV, **self.target_env()}
        library = self.layout.build / "release" / "libsipws-mutate.so"
        if self.layout.mutated(self.target, "afl") and library.exists():
            env.update(AFL_CUSTOM_MUTATOR_LIBRARY=str(library), SIPWS_MUTATE_TARGET=self.target)
        # The build knows both sides of comparisons; -c 0 uses the binary itself for that.
        cache = self.binary.parent.parent / "CMakeCache.txt"
        if cache.exists() and "AFL_LLVM_CMPLOG=1" in cache.read_text():
            flags += ["-c", "0"]
        binary = self.binary
        folder, who = self.together()
        if who:
            flags += who
            env["AFL_AUTORESUME"] = "1"
            fast = self.layout.fuzzer("afl-fast", self.target)
            if self.worker != ASAN_WORKER and fast.exists():
                binary = fast
        self.looked = 0.0
        # Time ends it from outside, to the tenth; -V is the net below.
        self.child = Child(["afl-fuzz", "-i", seeds, "-o", folder, "-V", math.ceil(seconds) + 1,
                            *flags, "--", binary],
                           self.dir / "log", cwd=self.dir, env=env)

    def together(self):
        """The output folder, and who this one is among those that share it: one main without
        sanitizers, one secondary with them, and other secondaries without. A folder of several
        machines has one main, on the machine that was there first."""
        if not self.layout.sync and self.team < 2:
            return self.dir / "out", []
        folder = (self.layout.sync or self.layout.work / "afl") / self.target
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{re.sub('[^A-Za-z0-9_-]', '-', platform.node())}-{self.worker}"[:31]
        self.member = folder / name
        others = [p.parent for p in folder.glob("*/is_main_node") if p.parent != self.member]
        return folder, ["-M" if self.worker == 0 and not others else "-S", name]

    @property
    def out(self):
        return self.member or self.dir / "out" / "default"

    def poll(self):
        if self.state == "failed":
            return True
        running = self.child.running()
        if running:
            now = time.monotonic()
            if now - self.looked > 0.5:
                self.looked = now
                self.measure()
                self._read(over=False)
            if self.time_is_over():
                self.child.stop()
            return False
        self.measure()
        self._read(over=True)
        self.finish()
        self.artifacts = [p for d in ("crashes", "hangs") for p in files_of(self.out / d)
                          if p.name.startswith("id:")]
        if not self.stats.executions and self.child.asked and not self.interrupted:
            self.fail(f"was still starting after {self.elapsed():.0f} s")
        elif self.child.status != 0 and not self.stats.executions and not self.interrupted:
            self.fail(f"ended with status {self.child.status}: {self.last_words()}")
        self._curve()
        self.judge()
        return True

    def ready(self):
        return (self.out / "fuzzer_stats").exists() and self.stats.executions > 0

    def _read(self, over):
        """While it runs, fuzzer_stats is up to a minute old and plot_data five seconds; the names
        in the queue tell of the last find. The rate stays unknown until one of them has it."""
        s, known = self.stats, 0
        try:
            take_afl_stats((self.out / "fuzzer_stats").read_text(), s)
            for _, executions, edges, _ in read_plot_data((self.out / "plot_data").read_text())[-1:]:
                known = executions
                s.edges = max(s.edges, edges)
        except OSError:
            pass
        queue = files_of(self.out / "queue")
        s.corpus = max(s.corpus, len(queue))
        last = _AFL_FILE.match(queue[-1].name) if queue else None
        s.executions = max(s.executions, known, int(last.group(3)) if last else 0)
        if over or known:
            s.rate = s.executions / max(self.elapsed(), 0.2)

    def _curve(self):
        """The corpus at every find, from the queue; the edges where plot_data has them."""
        try:
            plotted = read_plot_data((self.out / "plot_data").read_text())
        except OSError:
            plotted = []
        finds = []
        for i, path in enumerate(files_of(self.out / "queue")):
            m = _AFL_FILE.match(path.name)
            if m:
                finds.append((int(m.group(2)) / 1000, int(m.group(3)), None, i + 1))
        points = sorted(finds + plotted, key=lambda p: p[:2])
        last = (round(self.elapsed(), 2), self.stats.executions, self.stats.edges,
                self.stats.corpus)
        points = [p for p in points if p[0] < last[0]] + [last]
        # plot_data has whole seconds, so a find may seem to come before it.
        most = itertools.accumulate((p[1] for p in points), max)
        points = [(p[0], n, p[2], p[3]) for p, n in zip(points, most)]
        while len(points) > 2 * POINTS:
            points[1:-1] = points[1:-1:2]
        self.stats.points = points

    def gather(self):
        """Its new inputs go to the working corpus, by libFuzzer's names. Returns how many."""
        corpus, new = self.layout.corpus(self.target), 0
        for path in files_of(self.out / "queue"):
            if ",orig:" in path.name or not path.name.startswith("id:"):
                continue
            data = path.read_bytes()
            to = corpus / hashlib.sha1(data).hexdigest()
            if not to.exists():
                to.write_bytes(data)
                new += 1
        # Thousands of small files that nobody wants any more; the others still read shared ones.
        if not self.member:
            shutil.rmtree(self.out / "queue", ignore_errors=True)
        shutil.rmtree(self.dir / "in", ignore_errors=True)
        return new


def make_run(layout, target, engine, seconds, worker=0, turn=0):
    kind = Afl if engine == "afl" else LibFuzzer
    return kind(layout, target, engine, seconds, worker, turn)
