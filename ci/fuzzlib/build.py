"""ci/setup, the presets, and the versions of the tools."""

import os
import platform
import re
import shutil
import time
from dataclasses import dataclass

from .process import Child, output_of


@dataclass
class Built:
    what: str
    seconds: float
    trouble: str = ""


class Builder:
    def __init__(self, layout, say):
        self.layout, self.say = layout, say
        self.done = []

    def step(self, what, *commands):
        """Runs the commands one after the other. The output is kept, and shown of a failure."""
        self.say(f"{what} ...")
        begun, log = time.monotonic(), self.layout.work / f"build-{re.sub('[^a-z]+', '-', what)}"
        trouble = ""
        if log.exists():
            log.unlink()
        for command in commands:
            try:
                child = Child(command, log, cwd=self.layout.root)
            except OSError as e:
                trouble = str(e)
                break
            try:
                child.popen.wait()
            except KeyboardInterrupt:
                child.kill()
                raise
            if child.status != 0:
                lines = log.read_text(errors="replace").rstrip().splitlines()
                telling = [s for s in lines if re.search(r"error|undefined reference|FAILED|CMake Error", s)]
                trouble = "\n".join((telling or lines)[-12:]) or f"status {child.status}"
                break
        built = Built(what, time.monotonic() - begun, trouble)
        self.done.append(built)
        if trouble:
            self.say(f"{what} FAILED; the log is {self.layout.relative(log)}\n{trouble}")
        else:
            self.say(f"{what}: {built.seconds:.1f} s")
        return not trouble

    def setup(self):
        script = self.layout.root / "ci" / "setup"
        return not os.access(script, os.X_OK) or self.step("setup", [script])

    def preset(self, name):
        return self.step(f"build {name}",
                         ["sh", "-c", '. ci/tools && build "$1"', "ci/fuzz", name])


VERSIONS = ("-14", "-19", "-18", "-17", "-16", "-15", "")  # the order of ci/tools


def llvm(name):
    """The path of clang, llvm-cov, ..., of the version that ci/tools builds with, or None."""
    for version in VERSIONS:
        path = shutil.which(name + version)
        if path:
            return os.path.realpath(path)  # sanitizers want the symbolizer by its plain name
    return None


def first_line(command):
    if not shutil.which(command[0]):
        return None
    _, text = output_of(command, 10)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", s).strip() for s in text.splitlines()]
    return next((s for s in lines if s), None)


def versions():
    """{tool: what it says of itself}, of those that are installed."""
    commands = {
        "clang": [llvm("clang") or "clang", "--version"],
        "gcc": ["gcc", "--version"],
        "cmake": ["cmake", "--version"],
        "AFL++": ["afl-fuzz", "-h"],
        "llvm-cov": [llvm("llvm-cov") or "llvm-cov", "--version"],
        "OpenSSL": ["openssl", "version"],
        "Python": ["python3", "--version"],
    }
    found = {}
    for name, command in commands.items():
        line = first_line(command)
        if name == "llvm-cov" and line:
            _, text = output_of(command, 10)
            m = re.search(r"LLVM version \S+", text)
            line = m.group(0) if m else line
        if name == "AFL++" and line:
            line = re.sub(r"^afl-fuzz\+*(\S*).*", r"\1", line)
        if line:
            found[name] = line
    return found


def commit(root):
    """(hash, when and what, are there changes) or None."""
    status, text = output_of(["git", "log", "-1", "--format=%H%n%cs %s"], 10, cwd=root)
    if status != 0:
        return None
    lines = text.splitlines()
    _, changes = output_of(["git", "status", "--porcelain"], 10, cwd=root)
    return lines[0], lines[1] if len(lines) > 1 else "", bool(changes.strip())


def machine():
    cpu = ""
    try:
        with open("/proc/cpuinfo") as f:
            cpu = next((s.split(":", 1)[1].strip() for s in f if s.startswith("model name")), "")
    except OSError:
        pass
    memory = 0
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (ValueError, OSError):
        pass
    return {"system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "processor": cpu, "memory": f"{memory:.0f} GiB"}


def cores():
    """Those that this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return os.cpu_count() or 1
