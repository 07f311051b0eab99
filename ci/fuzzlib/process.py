"""A child that can be watched and always comes to an end."""

import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

GRACE = 1.5  # seconds between asking a child to end and making it

_numbers = itertools.count(1)


def descendants(pid):
    """The process and everything below it. AFL++'s fork server is in a session of its own, so a
    process group alone would miss it."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        todo += children.get(p, [])
    return found


TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pids):
    """Seconds of processor time of processes, and of those children of theirs that are gone."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(n) for n in fields[11:15])
    return total / TICKS


MARK = "SIPWS_FUZZ_CHILD"


def marked(mark):
    """Processes that were started with this mark in their environment, whoever their parent is now:
    AFL++ leaves targets behind when it is interrupted."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


class Child:
    """A command whose output goes to a log file that is read while it grows. When it is over, so is
    everything that it started."""

    def __init__(self, command, log, env=None, cwd=None):
        self.mark = f"{os.getpid()}-{next(_numbers)}"
        self.command = [str(c) for c in command]
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.asked = None  # when it was asked to end
        self.killed = False
        self.started = time.monotonic()
        self.ended = None
        self._rest = b""
        self._cpu = 0.0
        with open(self.log, "ab") as out:
            self._offset = out.tell()
            self.popen = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {}), MARK: self.mark}, cwd=cwd,
                start_new_session=True)

    @property
    def status(self):
        """Exit status, negative for a signal, None while it runs."""
        return self.popen.returncode

    def running(self):
        if self.popen.poll() is None:
            return True
        if self.ended is None:
            self.ended = time.monotonic()
            end(marked(self.mark))
        return False

    def spent(self):
        return (self.ended or time.monotonic()) - self.started

    def cpu(self):
        """Seconds of processor time that it and its children have used; what was last seen, once it
        is gone."""
        if self.popen.returncode is None:
            self._cpu = max(self._cpu, cpu_of(descendants(self.popen.pid)))
        return self._cpu

    def lines(self):
        """Whole lines that are new in the log, and at the end of the child what is left."""
        over = not self.running()
        with open(self.log, "rb") as f:
            f.seek(self._offset)
            data = f.read()
        self._offset += len(data)
        parts = (self._rest + data).split(b"\n")
        self._rest = b"" if over else parts.pop()
        return [p.decode("utf-8", "replace") for p in parts if p or not over]

    def stop(self):
        """Asks the child to end, and ends it when it does not. To be called until it is gone."""
        if not self.running():
            return
        now = time.monotonic()
        if self.asked is None:
            self.asked = now
            try:
                self.popen.send_signal(signal.SIGINT)
            except ProcessLookupError:
                pass
        elif now - self.asked > GRACE and not self.killed:
            self.kill()

    def kill(self):
        self.killed = True
        end(descendants(self.popen.pid))
        self.popen.wait()
        self.running()


def output_of(command, seconds, env=None, cwd=None, errors=True):
    """(exit status, output) of a short command; the status is None when it took too long. Without
    `errors` the output is standard output only."""
    try:
        popen = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
            env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)
    except OSError as e:
        return 127, str(e)
    try:
        out, _ = popen.communicate(timeout=max(seconds, 0.1))
        return popen.returncode, out.decode("utf-8", "replace")
    except BaseException as e:
        # All of it: a child of the child may hold the pipe open.
        end(descendants(popen.pid))
        out, _ = popen.communicate()
        if isinstance(e, subprocess.TimeoutExpired):
            return None, out.decode("utf-8", "replace")
        raise
