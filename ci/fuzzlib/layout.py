"""Where things lie in the checkout, and which targets there are."""

import configparser
import os
import re
from pathlib import Path

# Crashes by design: it tests the engines, not ref.
NOT_FUZZED = {"selftest"}


class Layout:
    def __init__(self, root):
        self.root = Path(root).resolve()
        self.build = self.root / "build"
        self.bin = self.build / "bin"
        self.corpora = self.build / "corpus"
        self.findings = self.build / "findings"
        self.report = self.build / "report"
        self.floors = self.root / "fuzz" / "floors"
        self.work = self.build / "run"  # logs and scratch of the last run
        self.fork = 0     # processes of libFuzzer's fork mode; 0: without
        self.sync = None  # the folder in which AFL++ on several machines shares what it finds

    def targets(self):
        """Names of the fuzz targets, from their source files."""
        names = (re.sub(r"^target_", "", p.stem) for p in (self.root / "fuzz").glob("target_*.c"))
        return sorted(n for n in names if n not in NOT_FUZZED)

    def program(self, name):
        return self.bin / name

    def fuzzer(self, preset, target):
        return self.build / preset / "bin" / f"fuzz-{target}"

    def left_out(self, preset):
        """{target: why it is not in this build}: of targets that need what is not here."""
        return self.left_out_of(self.build / preset)

    @staticmethod
    def left_out_of(folder):
        try:
            lines = (folder / "targets-left-out").read_text().splitlines()
        except OSError:
            return {}
        return dict(line.split(": ", 1) for line in lines)

    def watch(self, target):
        """What the environment of the target says besides: where ci/bench-fuzz watches a session."""
        return {}

    def corpus(self, target):
        return self.corpora / target

    def given(self, target):
        """The corpora that are kept in the repository: seeds, and one file for every old bug."""
        dirs = (self.root / "corpus" / kind / target for kind in ("seeds", "regress"))
        return [d for d in dirs if d.is_dir()]

    def given_files(self, target):
        return [p for d in self.given(target) for p in files_of(d)]

    def dictionary(self, target):
        path = self.root / "corpus" / "dict" / f"{target}.dict"
        return path if path.is_file() else None

    def mutated(self, target, engine):
        """Does fuzz/mutate.def say that the engine, libfuzzer or afl, mutates with our mutator?"""
        path = self.root / "fuzz" / "mutate.def"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        row = re.search(rf"^M\({target}, *([01]), *([01])\)", text, re.M)
        return bool(row) and row[1 if engine == "libfuzzer" else 2] == "1"

    def options(self, target):
        """fuzz/fuzz-NAME.options in ClusterFuzz's form: {section: {key: value}}."""
        path = self.root / "fuzz" / f"fuzz-{target}.options"
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str
        if path.is_file():
            parser.read_string(path.read_text(encoding="utf-8"), str(path))
        return {name: dict(parser[name]) for name in parser.sections()}

    def relative(self, path):
        """As people type it at the root of the checkout."""
        try:
            return str(Path(path).resolve().relative_to(self.root))
        except ValueError:
            return str(path)


def files_of(directory):
    """The plain files right in a folder, none when there is no such folder."""
    try:
        with os.scandir(directory) as entries:
            return sorted(Path(e.path) for e in entries
                          if e.is_file() and not e.name.startswith("."))
    except FileNotFoundError:
        return []
