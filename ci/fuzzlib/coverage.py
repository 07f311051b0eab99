"""What the corpora reach of ref, by llvm-cov: lines and branches of each file."""

import json
import os
import re
import shutil
import time
from dataclasses import dataclass, field

from .build import llvm
from .layout import files_of
from .process import output_of

BATCH = 400  # files in one process


@dataclass
class File:
    path: str
    lines: int
    lines_hit: int
    branches: int
    branches_hit: int
    functions: int
    functions_hit: int


@dataclass
class Coverage:
    files: list = field(default_factory=list)
    not_linked: list = field(default_factory=list)  # sources that no target takes in
    inputs: int = 0
    html: bool = False
    trouble: str = ""

    def total(self, what):
        """(hit, all) of lines, branches or functions."""
        return (sum(getattr(f, what + "_hit") for f in self.files),
                sum(getattr(f, what) for f in self.files))


def percent(hit, of):
    return 100.0 * hit / of if of else None


def read_export(text, root, folders=("ref/",)):
    """Files of llvm-cov export -summary-only."""
    files, root = [], str(root) + "/"
    for f in json.loads(text)["data"][0]["files"]:
        path = f["filename"]
        path = path[len(root):] if path.startswith(root) else path
        if not path.startswith(folders):
            continue
        s = f["summary"]
        if not s["lines"]["count"]:
            continue
        files.append(File(path, s["lines"]["count"], s["lines"]["covered"],
                          s["branches"]["count"], s["branches"]["covered"],
                          s["functions"]["count"], s["functions"]["covered"]))
    return sorted(files, key=lambda f: f.path)


class Collector:
    """Runs programs of the cover build and adds up what they reached."""

    def __init__(self, layout, deadline):
        self.layout, self.deadline = layout, deadline
        self.dir = layout.work / "cover"
        if self.dir.exists():
            shutil.rmtree(self.dir)
        self.dir.mkdir(parents=True)
        self.bin = layout.build / "cover" / "bin"
        self.programs = set()
        self.inputs = 0
        self.late = False

    def left(self):
        return self.deadline - time.monotonic()

    def env(self):
        return {"LLVM_PROFILE_FILE": str(self.dir / "%p-%m.profraw")}

    def replay(self, target, files):
        """Without a fork, or the child's counts were lost; a batch that dies is halved."""
        program = self.bin / "sipws-replay"
        self.programs.add(program)
        todo = [files[i:i + BATCH] for i in range(0, len(files), BATCH)]
        while todo and not self.late:
            batch = todo.pop()
            if self.left() < 0.5:
                self.late = True
                break
            status, _ = output_of([program, "--no-fork", "--target", target, *batch], self.left(),
                                  self.env(), self.layout.work)
            if status in (0, 1, 2):
                self.inputs += len(batch)
            elif len(batch) > 1:
                todo += [batch[:len(batch) // 2], batch[len(batch) // 2:]]

    def run(self, name, *args):
        """A program of the cover build that exists; its status."""
        program = self.bin / name
        if not program.exists():
            return None
        self.programs.add(program)
        return output_of([program, *args], max(self.left(), 1), self.env(), self.layout.work)[0]

    def result(self, html=True, folders=("ref/",)):
        c = Coverage(inputs=self.inputs)
        profdata, cov = llvm("llvm-profdata"), llvm("llvm-cov")
        raw = [p for p in files_of(self.dir) if p.suffix == ".profraw"]
        if not profdata or not cov:
            c.trouble = "llvm-profdata and llvm-cov are not installed"
        elif not raw:
            c.trouble = "nothing was run: " + ("the time was over" if self.late else "no inputs")
        if c.trouble:
            return c
        merged = self.dir / "all.profdata"
        status, text = output_of([profdata, "merge", "-sparse", *raw, "-o", merged], 60)
        programs = sorted(p for p in self.programs if p.exists())
        objects = [str(programs[0])]
        for p in programs[1:]:
            objects += ["-object", str(p)]
        if status == 0:
            status, text = output_of([cov, "export", "-summary-only",
                                      f"-instr-profile={merged}", *objects], 60)
        if status != 0:
            c.trouble = text.strip()[-300:]
            return c
        c.files = read_export(text[text.index("{"):], self.layout.root, folders)
        linked = {f.path for f in c.files}
        c.not_linked = sorted(
            p for p in (self.layout.relative(q) for q in self.layout.root.glob("ref/*.c"))
            if p not in linked)
        if self.late:
            c.trouble = "the time was over before all inputs were run"
        if html and c.files:
            out = self.layout.report / "coverage"
            if out.exists():
                shutil.rmtree(out)
            sources = [str(self.layout.root / f.path) for f in c.files]
            status, _ = output_of(
                [cov, "show", "-format=html", f"-output-dir={out}", "-show-branches=count",
                 f"-instr-profile={merged}", *objects, *sources], max(self.left(), 10))
            c.html = status == 0 and (out / "index.html").exists()
        return c


def of_corpora(layout, targets, seconds, html=True):
    """What the seeds, the regressions and the working corpora of the targets reach."""
    if not os.access(layout.build / "cover" / "bin" / "sipws-replay", os.X_OK):
        return Coverage(trouble="the cover build has no sipws-replay")
    collector = Collector(layout, time.monotonic() + seconds)
    for target in targets:
        files = layout.given_files(target) + files_of(layout.corpus(target))
        if files:
            collector.replay(target, [str(f) for f in files])
    return collector.result(html)


def table(c):
    """The same as text."""
    rows = [("file", "lines", "", "branches", "")]

    def row(name, lines, branches):
        def cell(pair):
            p = percent(*pair)
            return ("-" if p is None else f"{p:.1f}%", f"{pair[0]}/{pair[1]}")
        return (name, *cell(lines), *cell(branches))

    for f in c.files:
        rows.append(row(f.path, (f.lines_hit, f.lines), (f.branches_hit, f.branches)))
    rows.append(row("all", c.total("lines"), c.total("branches")))
    wide = [max(len(r[i]) for r in rows) for i in range(5)]
    text = [re.sub(r"\s+$", "", "  ".join(
        r[i].ljust(wide[i]) if i == 0 else r[i].rjust(wide[i]) for i in range(5))) for r in rows]
    text += [f"{p}  not linked into what ran" for p in c.not_linked]
    return "\n".join(text)
