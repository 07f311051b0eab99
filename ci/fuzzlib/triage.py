"""A folder of findings: what each file is, which fail for the same reason, and a small one of each.

sipws-replay knows all that of one file; here it is asked for many, in several builds.
"""

import hashlib
import json
import os
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import build as tools
from . import report
from .findings import STORY_LINES, excerpt, sanitizer_excerpt, typed
from .process import output_of

LIMIT = 40   # seconds of the clock for one run; sipws-replay itself ends much sooner
LARGEST = 16 << 20

# ---- which files ---------------------------------------------------------------------------------

ENGINES = (
    # The folder or name of a finding, and who made it.
    (re.compile(r"^id[:_]\d+.*"), "AFL++"),
    (re.compile(r"^clusterfuzz-testcase-.*"), "ClusterFuzz"),
    (re.compile(r"^(crash|oom|timeout|leak|slow-unit)-[0-9a-f]{40}$"), "libFuzzer"),
    (re.compile(r"^SIG[A-Z]+\.PC\..*"), "honggfuzz"),
    (re.compile(r".*\.tape$"), "sipws-props"),
    (re.compile(r"^[a-z0-9_]+-[0-9a-f]{16}$"), "ci/fuzz"),
)

# What engines write beside their findings.
BESIDE = {"README.txt", "HONGGFUZZ.REPORT.TXT", "fuzzer_stats", "fuzzer_setup", "plot_data", "cmdline",
          "fuzz_bitmap", "fastresume.bin", "is_main_node", "target_hash", "log", "fuzz.log"}
NOT_FINDINGS = {".min", ".html", ".json", ".log", ".dict", ".options", ".zip", ".py", ".c", ".md", ".gz",
                ".cov", ".new"}
# AFL++'s own folders: only these two have findings.
AFL_FINDINGS = {"crashes", "hangs"}


def engine_of(path):
    return next((who for pattern, who in ENGINES if pattern.match(path.name)), "unknown")


def of_afl(folder):
    """The output folder of one fuzzer, or what ci/selftest and others leave of it."""
    return (folder / "fuzzer_stats").is_file() or (
        (folder / "queue").is_dir() and any((folder / d).is_dir() for d in AFL_FINDINGS))


def collect(paths):
    """(files that may be findings, files left out), each once by its contents. What is named is
    taken, whatever it is called."""
    taken, left_out, seen = [], [], set()

    def take(path):
        if path.stat().st_size > LARGEST:
            left_out.append(path)
            return
        digest = hashlib.sha256(path.read_bytes()).digest()
        # The same octets are another case for another target.
        if (digest, path.parent) in seen:
            left_out.append(path)
            return
        seen.add((digest, path.parent))
        taken.append(path)

    for given in map(Path, paths):
        if given.is_file():
            take(given)
            continue
        for here, folders, names in os.walk(given):
            folder = Path(here)
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            if of_afl(folder):
                folders[:] = [f for f in folders if f in AFL_FINDINGS]
                left_out += [folder / n for n in names]
                continue
            for name in sorted(names):
                path = folder / name
                if not path.is_file() or name.startswith(".") or name in BESIDE or \
                        path.suffix in NOT_FINDINGS:
                    left_out.append(path)
                else:
                    take(path)
    return taken, left_out


# ---- one file ------------------------------------------------------------------------------------

@dataclass
class Case:
    path: Path
    engine: str
    said: dict = field(default_factory=dict)  # build -> what sipws-replay says of it
    trouble: str = ""

    def failing(self):
        return [b for b, s in self.said.items() if "bucket" in s]

    @property
    def first(self):
        """What the build says that fails first in the order of builds; None: it holds."""
        return self.said[self.failing()[0]] if self.failing() else None


@dataclass
class Bucket:
    key: str
    cases: list
    kept: Path = None
    size: int = 0
    was: int = 0
    tries: int = 0
    command: str = ""
    story: str = ""
    note: str = ""

    @property
    def smallest(self):
        return min(self.cases, key=lambda c: (c.path.stat().st_size, str(c.path)))

    @property
    def builds(self):
        return [b for b in ("clang", "gcc", "msan") if any(b in c.failing() for c in self.cases)]

    @property
    def build(self):
        """The one that its story is told of."""
        return self.smallest.failing()[0]


def ask(program, path, *options):
    """What sipws-replay says of a file, as a dict, or a word why it says nothing."""
    status, text = output_of([program, "--json", *options, path], LIMIT, errors=False)
    if status is None:
        return None, "sipws-replay does not come to an end"
    lines = [s for s in text.splitlines() if s.startswith("{")]
    if status not in (0, 1) or not lines:
        status, text = output_of([program, "--json", *options, path], LIMIT)
        last = (text.strip().splitlines() or [""])[-1]
        return None, f"sipws-replay ended with status {status}: {last[:300]}"
    return json.loads(lines[-1]), ""


class Triage:
    def __init__(self, layout, programs, target, jobs, screen):
        self.layout, self.programs, self.jobs, self.screen = layout, programs, jobs, screen
        self.options = ["--target", target] if target else []
        self.cases, self.buckets = [], []
        self.work = layout.build / "triage"
        self.lock = threading.Lock()
        self.done = 0

    def replay(self, files):
        self.cases = [Case(p, engine_of(p)) for p in files]
        self._each("replays", [(c, k, p) for k, p in self.programs.items() for c in self.cases],
                   self._one)

    def again(self, kind, program):
        """What holds in all builds so far, in one more."""
        self.programs[kind] = program
        self._each("replays", [(c, kind, program) for c in self.dismissed], self._one)

    def _one(self, job):
        case, kind, program = job
        said, why = ask(program, case.path, *self.options)
        if said is None:
            case.trouble = why
        else:
            case.said[kind] = said

    def _each(self, what, jobs, function):
        self.done = 0

        def step(job):
            function(job)
            with self.lock:
                self.done += 1
                self._progress(what, len(jobs))

        with ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(step, jobs))
        self._clear()

    def _progress(self, what, of):
        if self.screen.live:
            self.screen.out.write(f"\r\x1b[K{what}: {self.done} of {of}")
            self.screen.out.flush()

    def _clear(self):
        if self.screen.live:
            self.screen.out.write("\r\x1b[K")

    @property
    def dismissed(self):
        return [c for c in self.cases if c.said and not c.failing()]

    def bucket(self):
        """Files that fail with the same key are one bug. Two compilers may disagree on a key; the
        first one's counts."""
        groups = {}
        for c in self.cases:
            if c.first:
                groups.setdefault(c.first["bucket"], []).append(c)
        self.buckets = [Bucket(k, v) for k, v in groups.items()]
        self.buckets.sort(key=lambda b: (-len(b.cases), b.key))

    # ---- a small one of each ---------------------------------------------------------------------

    def keep(self, seconds):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.layout.findings.mkdir(parents=True, exist_ok=True)
        self._each("makes small" if seconds else "keeps", self.buckets,
                   lambda b: self._keep(b, seconds))

    def _keep(self, bucket, seconds):
        case, kind = bucket.smallest, bucket.build
        program, said = self.programs[kind], bucket.smallest.first
        place = self.work / hashlib.sha256(bucket.key.encode()).hexdigest()[:16]
        place.mkdir()
        # Its new name must tell the target as its old place did.
        copy = place / f"{said['target']}-case"
        shutil.copyfile(case.path, copy)
        best, bucket.was = copy, copy.stat().st_size
        options = self._options(said)
        if seconds and said["kind"] != "story":
            small, why = ask(program, copy, *options, "--shrink", "--seconds", str(seconds))
            path = Path(small["small"]) if small and "small" in small else None
            if path and path.exists() and self._same(program, path, options, bucket):
                best, bucket.tries = path, small.get("tries", 0)
            else:
                bucket.note = f"could not be made small: {why or 'the small one fails otherwise'}"
        data = best.read_bytes()
        digest = hashlib.sha256(data).hexdigest()[:16]
        bucket.kept = self.layout.findings / f"{said['target']}-{digest}"
        bucket.kept.write_bytes(data)
        bucket.size = len(data)
        # Where clang is, it is what ci/replay takes by itself.
        usual = "clang" if tools.llvm("clang") else "gcc"
        bucket.command = typed(self.layout.relative(bucket.kept), "" if kind == usual else kind)
        _, bucket.story = output_of([program, "--explain", bucket.kept], LIMIT, errors=False)
        if not self._same(program, bucket.kept, [], bucket):
            bucket.note = "kept as it came, but fails otherwise under its new name"

    def _options(self, said):
        """Where the name no longer tells it."""
        if said["kind"] in ("story", "vectors"):
            return []
        return self.options or (["--target", said["target"]] if said["kind"] == "input" else [])

    def _same(self, program, path, options, bucket):
        said, _ = ask(program, path, *options)
        return bool(said) and said.get("bucket") == bucket.key


# ---- what came of it -----------------------------------------------------------------------------

def facts(t, paths, left_out, trouble, took):
    trouble = trouble + [f"{t.layout.relative(c.path)}: {c.trouble}" for c in t.cases if c.trouble]
    status = 1 if t.buckets else 2 if trouble else 0
    root = t.layout.root

    def bucket(b):
        said, case = b.smallest.first, b.smallest
        return {
            "bucket": b.key, "count": len(b.cases), "target": said["target"],
            "property": said.get("property"), "end": said["end"], "error": said["error"],
            "says": said["says"], "frames": said["frames"], "builds": b.builds,
            "kept": t.layout.relative(b.kept), "octets": b.size, "was": b.was, "tries": b.tries,
            "command": b.command, "note": b.note,
            "engines": sorted({c.engine for c in b.cases}),
            "story": excerpt(b.story, STORY_LINES, root),
            "report": sanitizer_excerpt(said["printed"], root) if said["printed"] else "",
            "smallest": t.layout.relative(case.path),
            "files": [{"path": t.layout.relative(c.path), "told_by": c.first["told_by"],
                       "builds": c.failing(), "engine": c.engine} for c in b.cases],
        }

    where = tools.commit(root)
    return {
        "format": 1, "status": status,
        "verdict": {0: "nothing reproduces", 1: "findings", 2: "trouble"}[status],
        "paths": [t.layout.relative(p) for p in paths], "took": round(took, 1),
        "files": len(t.cases), "left_out": len(left_out), "builds": list(t.programs),
        "plant": os.environ.get("SIPWS_PLANT", ""),
        "commit": where and {"hash": where[0], "subject": where[1], "changed": where[2]},
        "buckets": [bucket(b) for b in t.buckets],
        "holds": [{"path": t.layout.relative(c.path), "engine": c.engine,
                   "target": next(iter(c.said.values()))["target"]} for c in t.dismissed],
        "trouble": trouble,
    }


def what(b):
    """The property, or the target."""
    return b["property"] or b["target"]


def table(f):
    """For a terminal: a line a bucket, and its command."""
    lines = []
    if f["buckets"]:
        rows = [("count", "octets", "was", "target or property", "what it does", "builds")]
        rows += [(str(b["count"]), str(b["octets"]), str(b["was"]), what(b), b["says"],
                  " ".join(b["builds"])) for b in f["buckets"]]
        wide = [max(len(r[i]) for r in rows) for i in range(6)]
        for i, r in enumerate(rows):
            lines.append("  ".join(c.rjust(wide[k]) if k < 3 else c.ljust(wide[k])
                                   for k, c in enumerate(r)).rstrip())
            if i:
                b = f["buckets"][i - 1]
                lines += [f"    bucket  {b['bucket']}", f"    replay  {b['command']}"]
                lines += [f"    note    {b['note']}"] if b["note"] else []
    lines += [f"TROUBLE  {x}" for x in f["trouble"]]
    n = len(f["buckets"])
    lines.append(f"{f['files']} files, {f['left_out']} left out: {n} bucket{'' if n == 1 else 's'}, "
                 f"{len(f['holds'])} files hold; {f['took']:.0f} s, built with {', '.join(f['builds'])}")
    return "\n".join(lines)


def html(f):
    e = report.e
    n = len(f["buckets"])
    name = report.one(n, "bucket") if n else "Nothing reproduces" if not f["trouble"] else "Trouble"
    css = "findings" if n else "trouble" if f["trouble"] else "clean"
    figures = "".join([
        report.figure(f["files"], "files"), report.figure(sum(b["count"] for b in f["buckets"]), "fail"),
        report.figure(n, "buckets"), report.figure(len(f["holds"]), "hold"),
        report.figure(f"{f['took']:.0f} s", ", ".join(f["builds"]))])
    trouble = "".join(f"<li>{e(t)}</li>" for t in f["trouble"])
    about = e(", ".join(f["paths"]))
    if f["plant"]:
        about += f" · with the deliberate bug {e(f['plant'])}"
    if f["commit"]:
        about += (f" · commit <code>{e(f['commit']['hash'][:12])}</code> {e(f['commit']['subject'])}"
                  + (", with uncommitted changes" if f["commit"]["changed"] else ""))
    body = (f'<header class="{css}"><p class="name">sipws · ci/triage</p><h1>{e(name)}</h1>'
            + (f'<ul class="trouble">{trouble}</ul>' if trouble else "")
            + f'<div class="figures">{figures}</div><p class="about">{about}</p></header>')
    for b in f["buckets"]:
        size = report.one(b["octets"], "octet")
        if b["was"] > b["octets"]:
            size += f", made small from {report.count(b['was'])} in {report.one(b['tries'], 'try', 'tries')}"
        note = f"<p class=\"about\">{e(b['note'])}</p>" if b["note"] else ""
        files = "".join(f"<dt>{e(x['engine'])}</dt><dd><code>{e(x['path'])}</code>, told by "
                        f"{e(x['told_by'])}; fails with {e(', '.join(x['builds']))}</dd>"
                        for x in b["files"])
        told = f"<pre>{e(b['story'])}</pre>" if b["story"] else ""
        told += (f"<details><summary>what the sanitizer said</summary><pre>{e(b['report'])}</pre>"
                 "</details>" if b["report"] else "")
        body += (f'<article class="finding"><h3>{e(what(b))}: {e(b["says"])}</h3>'
                 f'<p class="about">{report.one(b["count"], "file")} of {e(", ".join(b["engines"]))} · '
                 f'{size} · fails with {e(", ".join(b["builds"]))}</p>{report.command(b["command"])}'
                 f'<p class="about">kept in <code>{e(b["kept"])}</code> · bucket '
                 f'<code>{e(b["bucket"])}</code></p>{note}{told}<details><summary>the files</summary>'
                 f"<dl>{files}</dl></details></article>")
    if f["holds"]:
        rows = "".join(f"<dt>{e(x['target'])}</dt><dd><code>{e(x['path'])}</code></dd>"
                       for x in f["holds"])
        body += report.section("holds", "What holds", "These do not fail any more, or not here.",
                               f"<dl>{rows}</dl>")
    return report.document(f"{name} · sipws triage", body)
