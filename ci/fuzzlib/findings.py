"""Telling findings apart, making them small, and the command that replays one.

A finding is a file, and a key: what broke, and where in our own code, or the property and its id.
Files with the same key are one finding.
"""

import hashlib
import os
import re
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path

from .engines import libfuzzer_flags, sanitizer_env
from .process import output_of

MAGIC = b"sipws-tape 1 "
FRAMES = 3           # of the stack that tell findings apart
STORY_LINES = 120    # in the report
REPORT_LINES = 30    # of a sanitizer


@dataclass
class Diagnosis:
    kind: str         # "heap-buffer-overflow", "timeout", "property", ...
    title: str        # a line for people
    key: tuple        # equal for the same bug
    text: str = ""    # what was printed
    shown_by: str = ""  # preset whose program shows it


@dataclass
class Finding:
    target: str
    kind: str
    title: str
    key: tuple
    path: str             # at the root of the checkout
    size: int
    was: int              # octets before it was made small
    command: str          # replays it
    story: str = ""
    report: str = ""      # of the sanitizer, its first lines
    engines: list = field(default_factory=list)
    count: int = 1        # files with this key


_FRAME = re.compile(r"#(\d+) 0x[0-9a-f]+ in (\S+) (/[^\s:]+):(\d+)")
_SUMMARY = re.compile(r"^SUMMARY: (\w+): (.*)$", re.M)
_PROPERTY = re.compile(r"^property  (\S+)", re.M)
_VERDICT = re.compile(r"^verdict   FAILS: ([^,\n]+)", re.M)
_UBSAN = re.compile(r"^(/[^\s:]+):(\d+):\d+: runtime error: (.*)$", re.M)
_ASSERT = re.compile(r"(?:([^\s:]+):(\d+): )?(?:[\w ]+: )?Assertion [`'](.*)' failed")
_DIED = re.compile(r"^[^\n]*: ([\w/-]+) (?:crashed|does not come to an end|ended with status)", re.M)
DIED = "it takes the program down"
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")


def stack(text, root):
    """[(function, file, line)] of the first stack in our own code, innermost first."""
    frames, root = [], str(root) + "/"
    seen = False
    for line in text.splitlines():
        m = _FRAME.search(line)
        if not m:
            if seen and not line.strip():
                break
            continue
        seen = True
        if m.group(1) == "0" and frames:
            break
        if m.group(3).startswith(root):
            frames.append((m.group(2), m.group(3)[len(root):], int(m.group(4))))
    return frames


def read_report(text, target, root):
    """What the output of a sanitizer, libFuzzer or a property says broke, or None."""
    frames = stack(text, root)
    where = f" in {frames[0][0]} ({frames[0][1]}:{frames[0][2]})" if frames else ""
    functions = tuple(f[0] for f in frames[:FRAMES])
    at = functions + ((frames[0][2],) if frames else ())

    verdict = _VERDICT.search(text)
    prop = _PROPERTY.search(text)
    if verdict and prop:
        name, broken = prop.group(1), verdict.group(1).strip()
        return Diagnosis("property", f"property {name} fails: {broken}",
                         ("property", name, broken), text)
    summary = _SUMMARY.search(text)
    tool, rest = summary.groups() if summary else ("", "")
    if tool == "libFuzzer" and rest.startswith("timeout"):
        outer = tuple(f[0] for f in frames[-FRAMES:])
        return Diagnosis("timeout", f"does not come to an end in time{where}",
                         (target, "timeout") + outer, text)
    if tool == "libFuzzer" and rest.startswith("out-of-memory"):
        return Diagnosis("out of memory", f"takes too much memory{where}",
                         (target, "oom") + at, text)
    ub = _UBSAN.search(text)
    if ub:
        file = ub.group(1).replace(str(root) + "/", "")
        what = ub.group(3)
        # Values differ from file to file; the sentence does not.
        return Diagnosis("undefined behaviour", f"{what} ({file}:{ub.group(2)})",
                         (target, "ub", _NUMBERS.sub("N", what), file, ub.group(2)), text)
    failed = _ASSERT.search(text)
    if failed:
        return Diagnosis("assertion", f"assertion `{failed.group(3)}` failed{where}",
                         (target, "assertion", failed.group(3)) + at, text)
    if tool in ("AddressSanitizer", "MemorySanitizer", "LeakSanitizer"):
        kind = "leak" if "leaked" in rest else rest.split()[0] if rest else tool
        return Diagnosis(kind, f"{kind}{where}", (target, kind) + at, text)
    if tool == "libFuzzer":
        kind = {"deadly signal": "abort"}.get(rest.strip(), rest.strip() or "crash")
        return Diagnosis(kind, f"{kind}{where}", (target, kind) + at, text)
    return None


def is_tape(path):
    with open(path, "rb") as f:
        return f.read(len(MAGIC)) == MAGIC


def replay_command(program, target, path):
    """For us; a tape tells itself which property it is of."""
    return [str(program)] + ([] if is_tape(path) else ["--target", target]) + ["--explain",
                                                                            str(path)]


def typed(path, build=""):
    """What people type, in any checkout that the file was copied to: what it is, its name or its
    first line tells. `build` is what alone shows it, if one does."""
    plant = os.environ.get("SIPWS_PLANT")
    words = [f"SIPWS_PLANT={plant}"] if plant else []
    words += ["ci/replay"] + ([f"--{build}"] if build else []) + ["--explain", shlex.quote(str(path))]
    return " ".join(words)


class Desk:
    """Takes in files that may be findings, and keeps the ones that are."""

    def __init__(self, layout, deadline, say=lambda text: None):
        self.layout, self.deadline, self.say = layout, deadline, say
        self.findings = {}
        self.by_run = {}  # (target, engine) -> keys of what it found
        self.notes = []  # what was dismissed, and why

    def left(self, most):
        return max(0.5, min(most, self.deadline - time.monotonic()))

    def _shrink(self):
        """In the time that is left."""
        return ["--shrink", "--seconds", str(int(max(1, min(24, self.left(60) - 3))))]

    # ---- one file --------------------------------------------------------------------------------

    def _programs(self, target):
        """(preset, command without the file) that may show a failure, the most telling first."""
        flags = libfuzzer_flags(self.layout, target)
        for preset in ("fuzz", "msan"):
            yield preset, [self.layout.fuzzer(preset, target), *flags]
        yield "afl", [self.layout.fuzzer("afl", target)]

    def diagnose(self, target, path):
        """Runs the file under each engine's program until one fails. None: all accept it."""
        env = sanitizer_env(self.layout.options(target))
        for preset, command in self._programs(target):
            if not Path(command[0]).exists():
                continue
            status, text = output_of([*command, path], self.left(15), env, self.layout.work)
            if status == 0:
                continue
            found = read_report(text, target, self.layout.root)
            if not found and status is None:
                found = Diagnosis("timeout", "does not come to an end in time",
                                  (target, "timeout"), text)
            if not found:
                found = Diagnosis("crash", f"ended with status {status}",
                                  (target, "crash", preset, status), text)
            found.shown_by = preset
            return self._of_property(target, path, found)
        return None

    def _of_property(self, target, path, found):
        """A property that takes the program down is the same finding for all runners."""
        program = self.layout.program("sipws-replay")
        if target != "props" or found.kind == "property" or not program.exists():
            return found
        command = replay_command(program, target, path)[:-2]
        _, text = output_of([*command, path], self.left(5), cwd=self.layout.root, errors=False)
        m = _DIED.search(text)
        if m:
            found.title = f"property {m.group(1)}: {found.title}"
            found.key = ("property", m.group(1), DIED)
        return found

    def smaller(self, target, path, found):
        """A smaller file with the same key, or the same one."""
        if found.kind in ("timeout", "out of memory") or self.left(60) < 2:
            return path
        work = self.layout.work / "small"
        work.mkdir(parents=True, exist_ok=True)
        out = work / f"{target}-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
        if found.kind == "property":
            # The integrated shrinker knows the spans of the tape.
            out.write_bytes(path.read_bytes())
            small = Path(str(out) + ".min")
            command = [self.layout.program("sipws-replay")]
            command += [] if is_tape(path) else ["--target", target]
            output_of([*command, *self._shrink(), out], self.left(30), cwd=work)
        elif found.shown_by in ("fuzz", "msan"):
            small = out
            command = [self.layout.fuzzer(found.shown_by, target)]
            seconds = int(max(1, min(5, self.left(60) - 1)))
            output_of([*command, *libfuzzer_flags(self.layout, target), "-minimize_crash=1",
                       f"-max_total_time={seconds}", f"-exact_artifact_path={small}", path],
                      self.left(seconds + 5), sanitizer_env(self.layout.options(target)), work)
        else:
            return path
        if small.exists() and small.stat().st_size <= path.stat().st_size:
            again = self.diagnose(target, small)
            if again and again.key == found.key:
                return small
        return path

    def _story(self, target, path, found):
        """What the plain replay program says if it shows the failure, else the first that does."""
        replay = self.layout.program("sipws-replay")
        candidates = [replay] + [self.layout.build / preset / "bin" / "sipws-replay"
                                 for preset in (found.shown_by, "fuzz") if preset]
        text = ""
        for program in candidates:
            if not program.exists():
                continue
            command = replay_command(program, target, path)
            status, text = output_of(command, self.left(10), sanitizer_env({}), self.layout.root,
                                     errors=False)
            if status is None or status == 1:
                return text
        return text

    # ---- taking in -------------------------------------------------------------------------------

    def take(self, target, path, engine, log=""):
        """A file that an engine says is a finding. `log` is what the engine printed."""
        if Path(path).name.startswith("slow-unit-"):
            return
        path = Path(path)
        found = self.diagnose(target, path)
        if not found and engine == "afl" and path.parent.name == "hangs":
            self.notes.append(f"{target}: a hang of AFL++'s does not repeat; the machine was busy")
            return
        if not found:
            found = read_report(log, target, self.layout.root) or Diagnosis(
                "crash", "an engine says it crashes", (target, "crash"), log)
            found = Diagnosis(found.kind, found.title + ", but does not repeat",
                              ("does not repeat",) + found.key, found.text)
        self.by_run.setdefault((target, engine), set()).add(found.key)
        if found.key in self.findings:
            known = self.findings[found.key]
            known.count += 1
            if engine not in known.engines:
                known.engines.append(engine)
            return
        self.say(f"{target}: {found.title}")
        was = path.stat().st_size
        small = self.smaller(target, path, found)
        data = small.read_bytes()
        self.layout.findings.mkdir(parents=True, exist_ok=True)
        kept = self.layout.findings / f"{target}-{hashlib.sha256(data).hexdigest()[:16]}"
        kept.write_bytes(data)
        story = self._story(target, kept, found)
        relative = self.layout.relative(kept)
        command = typed(relative, "msan" if found.shown_by == "msan" else "")
        self.findings[found.key] = Finding(
            target, found.kind, found.title, found.key, relative, len(data), was,
            command, excerpt(story, STORY_LINES, self.layout.root),
            "" if found.kind == "property" else sanitizer_excerpt(found.text, self.layout.root),
            [engine])

    def take_property(self, result):
        """A property that sipws-props says fails or is sick; it has been shrunk already."""
        broken = broken_claim(result.story)
        died = broken.startswith("it ")
        key = ("property", result.name, DIED if died else broken)
        if key in self.findings:
            known = self.findings[key]
            known.count += 1
            known.engines.append("sipws-props")
            return
        size, was, story, command, kept = 0, 0, result.story, result.command, result.tape
        tape = self.layout.root / result.tape
        if result.tape and tape.exists():
            was = tape.stat().st_size
            if died:  # sipws-props died of it, and could not shrink
                output_of([self.layout.program("sipws-replay"), *self._shrink(), tape],
                          self.left(30), cwd=self.layout.root)
                small = Path(f"{tape}.min")
                if small.exists():
                    small.replace(tape)
            size, kept = tape.stat().st_size, self.layout.relative(tape)
            story = self._story("props", tape, Diagnosis("property", "", key)).strip() or story
            command = typed(kept)
        what = ("is not healthy" if result.state == "SICK" else
                broken[3:] if died else f"fails: {broken}")
        self.findings[key] = Finding(
            "properties", "property", f"property {result.name} {what}", key, kept, size,
            max(was, size), command, excerpt(story, STORY_LINES, self.layout.root), "",
            ["sipws-props"])

    def all(self):
        return list(self.findings.values())


def broken_claim(story):
    """The id of the claim that broke, or how the program died."""
    m = _VERDICT.search(story)
    if m:
        return m.group(1).strip()
    died = re.search(r"^FAIL +\S+ (does not come to an end|was aborted|crashed|was stopped by a "
                     r"sanitizer)", story, re.M)
    return f"it {died.group(1)}" if died else "unhealthy"


def excerpt(text, lines, root):
    all_lines = text.replace(str(root) + "/", "").rstrip().splitlines()
    if len(all_lines) > lines:
        all_lines = all_lines[:lines] + [f"... {len(all_lines) - lines} more lines"]
    return "\n".join(all_lines)


def sanitizer_excerpt(text, root):
    """From the line that says what is wrong to the end of the first stack."""
    lines = text.splitlines()
    start = next((i for i, s in enumerate(lines)
                  if re.search(r"==\d+==|runtime error:|Assertion", s)), 0)
    kept = []
    for line in lines[start:]:
        if line.startswith(("Shadow bytes", "MS: ", "SUMMARY: ")):
            break
        # Frames of the engine say nothing about our code.
        if " in fuzzer::" in line or "libc" in line and re.match(r"\s+#\d+", line):
            continue
        kept.append(re.sub(r" \(BuildId: [0-9a-f]+\)", "", line))
    return excerpt("\n".join(kept), REPORT_LINES, root)
