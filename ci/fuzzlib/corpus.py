"""The working corpora in build/corpus: merging them to what adds features, and saving that."""

import hashlib
import shutil
import time

from .engines import libfuzzer_flags, sanitizer_env
from .layout import files_of
from .process import Child


class Merge:
    """libFuzzer's -merge=1 of one target's working corpus, as a run like the others. What it keeps
    has every feature of the seeds and of all that was found. When the time is over before it ends,
    the corpus stays as it was."""

    kind = "merge"
    engine = "merge"
    wanted = 600.0

    def __init__(self, layout, target):
        self.layout, self.target = layout, target
        self.state, self.trouble = "waits", ""
        self.child = None
        self.begun = self.ended = None
        self.before = self.after = None

    name = property(lambda self: f"the merge of {self.target}")

    def start(self, seconds):
        self.seconds, self.begun, self.state = seconds, time.monotonic(), "runs"
        corpus = self.layout.corpus(self.target)
        self.before = len(files_of(corpus))
        self.dir = self.layout.work / f"merge-{self.target}"
        self.out = self.dir / "out"
        if self.dir.exists():
            shutil.rmtree(self.dir)
        self.out.mkdir(parents=True)
        command = [self.layout.fuzzer("fuzz", self.target), "-merge=1",
                   f"-artifact_prefix={self.dir}/",
                   *libfuzzer_flags(self.layout, self.target), self.out, corpus,
                   *self.layout.given(self.target)]
        self.child = Child(command, self.dir / "log", cwd=self.dir,
                           env=sanitizer_env(self.layout.options(self.target)))

    def elapsed(self):
        return 0.0 if self.begun is None else (self.ended or time.monotonic()) - self.begun

    def left(self):
        return max(0.0, self.seconds - self.elapsed()) if self.state == "runs" else None

    def interrupt(self):
        self.kill()

    def kill(self):
        if self.child and self.child.running():
            self.child.kill()

    def poll(self):
        if self.child.running():
            if self.elapsed() >= self.seconds:
                self.child.kill()
            return False
        self.ended = time.monotonic()
        kept = files_of(self.out)
        if self.child.killed:
            self.state, self.trouble = "left out", "the time was over; the corpus stays as it was"
        elif self.child.status != 0 or (self.before and not kept):
            self.state, self.trouble = "failed", f"ended with status {self.child.status}"
        else:
            corpus = self.layout.corpus(self.target)
            corpus.rename(self.dir / "before")
            self.out.rename(corpus)
            self.state, self.after = "done", len(kept)
        return True


def save(layout, target, seconds):
    """Copies what adds features to the seeds into corpus/seeds/NAME, named by SHA-256. Returns the
    files, or None when the time was over."""
    work = layout.work / f"save-{target}"
    if work.exists():
        shutil.rmtree(work)
    out = work / "out"
    out.mkdir(parents=True)
    have = set()
    for path in layout.given_files(target):
        data = path.read_bytes()
        have.add(data)
        (out / hashlib.sha256(data).hexdigest()).write_bytes(data)
    child = Child([layout.fuzzer("fuzz", target), "-merge=1", f"-artifact_prefix={work}/",
                   *libfuzzer_flags(layout, target), out, layout.corpus(target)],
                  work / "log", cwd=work, env=sanitizer_env(layout.options(target)))
    end = time.monotonic() + seconds
    while child.running():
        if time.monotonic() > end:
            child.kill()
            return None
        time.sleep(0.05)
    seeds = layout.root / "corpus" / "seeds" / target
    seeds.mkdir(parents=True, exist_ok=True)
    saved = []
    for path in files_of(out):
        data = path.read_bytes()
        to = seeds / hashlib.sha256(data).hexdigest()
        if data not in have and not to.exists():
            to.write_bytes(data)
            saved.append(to)
    return saved
