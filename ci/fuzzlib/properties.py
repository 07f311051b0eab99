"""sipws-props by turns until its time is over, and sipws-diff over the seeds."""

import re
import time
from dataclasses import dataclass, field

from .process import Child, output_of

CASES = 2000   # of one property in its first turn, before the next has its
TURNS = 3      # in which that grows fourfold each: most bugs want few cases, and starting a process takes time

_LINE = re.compile(r"^(ok|FAIL|SICK)\s+(\S+)\s+(\d+) cases\s+([\d.]+) s\s+([\d.]+)% discarded(.*)$")
_DEADLY = re.compile(r"^FAIL\s+(\S+) (does not come to an end|was aborted|crashed|"
                     r"was stopped by a sanitizer)")
_REPLAY = re.compile(r"ci/replay (?:--shrink )?--explain (.+)$")


def cases_of(turn):
    return CASES * 4 ** min(turn, TURNS - 1)


@dataclass
class Result:
    name: str
    sentence: str
    cases: int = 0
    seconds: float = 0.0
    discarded: float = 0.0  # cases
    classes: dict = field(default_factory=dict)  # label -> cases
    state: str = "not run"  # ok, FAIL, SICK, not run
    story: str = ""
    tape: str = ""          # file of a failing tape
    command: str = ""       # replays it

    def percent(self, label):
        judged = self.cases - self.discarded
        return 100 * self.classes[label] / judged if judged > 0 else 0.0


def read_list(text):
    """{name: sentence} of sipws-props --list."""
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return {p[0]: p[1] if len(p) > 1 else "" for p in pairs}


def read_result(text, result):
    """Adds what sipws-props printed of one property. False: it printed no result."""
    for line in text.splitlines():
        m = _REPLAY.search(line)
        if m:
            result.tape = m.group(1).strip()
        m = _DEADLY.match(line)
        if m:
            result.state, result.story = "FAIL", text.strip()
            continue
        m = _LINE.match(line)
        if not m:
            continue
        cases, discarded = int(m.group(3)), float(m.group(5))
        result.cases += cases
        result.seconds += float(m.group(4))
        result.discarded += cases * discarded / 100
        judged = cases * (1 - discarded / 100)
        for part in m.group(6).split(","):
            label, _, percent = part.strip().rpartition(" ")
            if label and percent.endswith("%"):
                result.classes[label] = (result.classes.get(label, 0.0)
                                         + judged * float(percent[:-1]) / 100)
        if m.group(1) != "ok":
            result.story = text.strip()
        if result.state != "FAIL":
            result.state = m.group(1)
    return result.state != "not run"


class Properties:
    """A run like those of the engines, of one core."""

    kind = "properties"
    target = "properties"
    engine = "sipws-props"

    def __init__(self, layout, seconds, seed):
        self.layout, self.wanted, self.seconds = layout, seconds, seconds
        self.seed = seed
        self.state, self.trouble = "waits", ""
        self.results = []
        self.child = None
        self.begun = self.ended = None
        self.interrupted = False
        self.turn = 0    # of all properties
        self.next = 0    # property

    name = "the properties"

    def start(self, seconds):
        self.seconds, self.begun, self.state = seconds, time.monotonic(), "runs"
        status, text = output_of([self.layout.program("sipws-props"), "--list"], 10)
        if status != 0:
            self.fail(f"sipws-props --list ended with status {status}: {text.strip()[:200]}")
            return
        self.results = [Result(n, s) for n, s in read_list(text).items()]
        if not self.results:
            self.fail("sipws-props --list names no property")

    def fail(self, why):
        self.state, self.trouble, self.ended = "failed", why, time.monotonic()

    def elapsed(self):
        return 0.0 if self.begun is None else (self.ended or time.monotonic()) - self.begun

    def left(self):
        return max(0.0, self.seconds - self.elapsed()) if self.state == "runs" else None

    @property
    def cases(self):
        return sum(r.cases for r in self.results)

    def interrupt(self):
        self.interrupted = True
        if self.child:
            self.child.kill()

    def kill(self):
        if self.child and self.child.running():
            self.child.kill()

    def poll(self):
        if self.state == "failed":
            return True
        if self.child:
            if self.child.running():
                if self.elapsed() < self.seconds:
                    return False
                self.child.kill()
            self._take()
        if self.interrupted or self.elapsed() >= self.seconds:
            return self._over()
        return not self._spawn() and self._over()

    def _over(self):
        self.ended = time.monotonic()
        if self.state == "runs":
            self.state = "done"
        if self.results and self.cases == 0 and not self.interrupted:
            self.fail("no case was run")
        return True

    def _spawn(self):
        """The next property that still holds. False: there is none."""
        for _ in self.results:
            result = self.results[self.next]
            seed, cases = self.seed + self.turn, cases_of(self.turn)
            self.next += 1
            if self.next == len(self.results):
                self.next, self.turn = 0, self.turn + 1
            if result.state in ("ok", "not run"):
                self.now, self.now_seed, self.now_cases = result, seed, cases
                self.layout.findings.mkdir(parents=True, exist_ok=True)
                self.child = Child(self._command(result, seed, cases),
                                   self.layout.work / "properties.log", cwd=self.layout.root)
                return True
        return False

    def _command(self, result, seed, cases):
        return [self.layout.program("sipws-props"), "--cases", cases, "--seed", seed,
                "--save", self.layout.findings, result.name]

    def _take(self):
        child, self.child = self.child, None
        text = "\n".join(child.lines())
        result = self.now
        known = read_result(text, result)
        if not known and not child.killed:
            result.state = "FAIL"
            result.story = text.strip() or f"sipws-props ended with status {child.status}"
        if result.state == "SICK":
            # A small sample says little of frequencies.
            command = self._command(result, self.now_seed, 10 * self.now_cases)
            again = Result(result.name, result.sentence)
            status, text = output_of(command, max(self.seconds - self.elapsed(), 0.2))
            if status == 0 or status is None:
                result.state, result.story = "ok", ""
            else:
                read_result(text, again)
            result.command = " ".join(
                [self.layout.relative(command[0])] + [str(c) for c in command[1:5]] + [result.name])
        if result.state == "FAIL" and result.tape:
            result.tape = self.layout.relative(result.tape)
            result.command = f"ci/replay --explain {result.tape}"
        elif result.state == "FAIL":
            result.command = " ".join(
                [self.layout.relative(self.layout.program("sipws-props")), "--cases",
                 str(self.now_cases), "--seed", str(self.now_seed), result.name])


@dataclass
class Disagreement:
    file: str
    text: str


class Differential:
    """sipws-diff over the seeds of the message target, in batches."""

    kind = "differential"
    target = "differential"
    engine = "sipws-diff"
    name = "the differential"

    def __init__(self, layout, seconds, target="msg"):
        self.layout, self.wanted, self.seconds = layout, seconds, seconds
        self.of = target
        self.state, self.trouble = "waits", ""
        self.files = []
        self.done = 0
        self.agreed = 0
        self.disagreements = []
        self.child = None
        self.begun = self.ended = None
        self.interrupted = False

    def start(self, seconds):
        self.seconds, self.begun, self.state = seconds, time.monotonic(), "runs"
        self.files = self.layout.given_files(self.of)
        if not self.files:
            self.state, self.trouble = "left out", f"there are no seeds of {self.of}"
            self.ended = time.monotonic()

    fail = Properties.fail
    elapsed = Properties.elapsed
    left = Properties.left
    kill = Properties.kill
    interrupt = Properties.interrupt

    @property
    def cases(self):
        return self.done

    def poll(self):
        if self.state != "runs":
            return True
        if self.child:
            if self.child.running() and self.elapsed() < self.seconds:
                return False
            if self.child.running():
                self.child.kill()
            else:
                self._take()
        if self.state != "runs":
            return True
        if self.done == len(self.files) or self.interrupted or self.elapsed() >= self.seconds:
            self.ended, self.state = time.monotonic(), "done"
            return True
        self.child = Child([self.layout.program("sipws-diff"), "--peers=linked", self.files[self.done]],
                           self.layout.work / "differential.log", cwd=self.layout.root)
        return False

    def _take(self):
        child, self.child = self.child, None
        text = "\n".join(child.lines()).strip()
        file = self.layout.relative(self.files[self.done])
        self.done += 1
        if child.status == 0:
            self.agreed += 1
        elif child.status == 1:
            self.disagreements.append(Disagreement(file, text))
        else:
            self.fail(f"sipws-diff {file} ended with status {child.status}: {text[-200:]}")
