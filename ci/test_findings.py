#!/usr/bin/env python3
"""From a bug to its commit, with real engines: a plant of ref is found by libFuzzer, AFL++ and a
property; ci/triage tells what the files are, and makes a small one of each bucket; the command that it
prints works in a fresh clone, under gcc and clang; --shrink ends in half a minute for every target,
whatever the input; --bisect finds the commit that switched the plant on.

    ci/test_findings.py     called by ci/selftest, whose builds it uses; some minutes

Exit status: 0 all as it must be, 1 not, 2 usage or build.
"""

import sys

sys.dont_write_bytecode = True

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzzlib.process import MARK, end, marked

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / "build" / "selftest"
PLANT, TARGET, PROPERTY = "WS_LENGTH_WRAP", "ws", "ws/twin"
SMALL = 40          # octets of the small files; the plant needs a frame with a length of 64 bits
BUCKETS = 4         # the plant shows in a few places of the target, and in the property
FIND_SECONDS = 120  # an idle machine needs some of them
SHRINK_SECONDS = 30 # the bar

WITNESS = ROOT / "corpus" / "plants" / f"{PLANT}.tape"


def environment(**more):
    env = {k: v for k, v in os.environ.items() if k not in ("SIPWS_PLANT", "SIPWS_SELFTEST")}
    env.update(more)
    return env


class Failure(Exception):
    pass


def want(holds, what, text=""):
    if not holds:
        raise Failure(what + ("\n" + "\n".join("    | " + s for s in text.splitlines()[-25:])
                              if text else ""))


def run(*command, cwd=ROOT, seconds=900, **more):
    p = subprocess.run([str(c) for c in command], cwd=cwd, env=environment(**more),
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=seconds)
    return p.returncode, p.stdout.decode(errors="replace")


# ---- findings ------------------------------------------------------------------------------------

def watch(place, seconds, found, command, **env):
    """Runs until there is a finding, and gives it."""
    mark = str(place)
    with open(place / "log", "wb") as log:
        child = subprocess.Popen([str(c) for c in command], cwd=place, stdout=log,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 start_new_session=True,
                                 env=environment(SIPWS_PLANT=PLANT, **{MARK: mark}, **env))
        until = time.monotonic() + seconds
        while time.monotonic() < until and not found() and child.poll() is None:
            time.sleep(0.2)
        end(marked(mark))
        child.wait()
    path = found()
    want(path, f"{Path(str(command[0])).name} finds nothing in {seconds} s",
         (place / "log").read_text(errors="replace"))
    return path


def first(folder, pattern):
    return next(iter(sorted(folder.glob(pattern))), None)


def by_libfuzzer(work):
    place = work / f"{TARGET}-libfuzzer"
    (place / "corpus").mkdir(parents=True)
    watch(place, FIND_SECONDS, lambda: first(place, "crash-*"),
          [BUILDS / "fuzz/bin" / f"fuzz-{TARGET}", f"-artifact_prefix={place}/", "-seed=1",
           f"-max_total_time={FIND_SECONDS}", f"-dict={ROOT}/corpus/dict/{TARGET}.dict",
           place / "corpus", ROOT / "corpus/seeds" / TARGET])
    shutil.rmtree(place / "corpus")


def by_afl(work):
    place = work / "afl"
    place.mkdir()
    watch(place, FIND_SECONDS, lambda: first(place / "out/default/crashes", "id:*"),
          ["afl-fuzz", "-i", ROOT / "corpus/seeds" / TARGET, "-o", place / "out", "-m", "none", "-s", "1",
           "-V", FIND_SECONDS, "-c", "0", "-x", ROOT / "corpus/dict" / f"{TARGET}.dict", "--",
           BUILDS / "afl/bin" / f"fuzz-{TARGET}"],
          AFL_NO_UI="1", AFL_NO_AFFINITY="1", AFL_SKIP_CPUFREQ="1", AFL_FAST_CAL="1",
          AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1", AFL_FORKSRV_INIT_TMOUT="30000")


def by_property(work):
    """The target of all properties, with nothing but tapes of this one."""
    place = work / "props-libfuzzer"
    (place / "corpus").mkdir(parents=True)
    (place / "corpus" / "seed").write_bytes(b"sipws-tape 1 " + PROPERTY.encode() + b"\n\0\0\0\0\0\0\0\0")
    watch(place, FIND_SECONDS, lambda: first(place, "crash-*"),
          [BUILDS / "fuzz/bin/fuzz-props", f"-artifact_prefix={place}/", "-seed=1",
           f"-max_total_time={FIND_SECONDS}", place / "corpus"])
    shutil.rmtree(place / "corpus")


def make_findings(work):
    by_libfuzzer(work)
    by_afl(work)
    by_property(work)
    # As ClusterFuzz hands it out: all in one folder, and the name tells the target.
    crash = first(work / f"{TARGET}-libfuzzer", "crash-*")
    (work / "oss-fuzz").mkdir()
    shutil.copy(crash, work / "oss-fuzz" / f"clusterfuzz-testcase-minimized-fuzz-{TARGET}-5150")
    shutil.copy(WITNESS, work / "oss-fuzz" / "ws-twin-0123456789abcdef.tape")
    shutil.copy(first(ROOT / "corpus/seeds/msg", "*.sip"), work / "oss-fuzz" / "msg-0123456789abcdef")


# ---- what becomes of them ------------------------------------------------------------------------

def triage(work):
    status, text = run(ROOT / "ci/triage", "--build", "clang", "--build", "gcc", work, SIPWS_PLANT=PLANT,
                       seconds=1800)
    want(status == 1, f"ci/triage ends with status {status}", text)
    f = json.loads((ROOT / "build/report/triage.json").read_text())
    want(not f["trouble"], "ci/triage is in trouble", "\n".join(f["trouble"]))
    files = {Path(x["path"]).name: (b, x) for b in f["buckets"] for x in b["files"]}
    targets = {b["target"] for b in f["buckets"]}
    want(targets == {TARGET, "props"}, f"the targets are {sorted(targets)}", text)
    want(len(f["buckets"]) <= BUCKETS, f"there are {len(f['buckets'])} buckets", text)
    by = {e for b in f["buckets"] for e in b["engines"]}
    want({"libFuzzer", "AFL++", "ClusterFuzz", "sipws-props"} <= by, f"the engines are {sorted(by)}", text)
    want(any(b["property"] == PROPERTY for b in f["buckets"]), f"{PROPERTY} has no bucket", text)
    # The same octets under another name are the same bug.
    crash = first(work / f"{TARGET}-libfuzzer", "crash-*").name
    want(files[crash][0]["bucket"]
         == files[f"clusterfuzz-testcase-minimized-fuzz-{TARGET}-5150"][0]["bucket"],
         "one crash is in two buckets", text)
    want([Path(h["path"]).name for h in f["holds"]] == ["msg-0123456789abcdef"],
         "what holds is not dismissed", text)
    for b in f["buckets"]:
        want(b["octets"] <= SMALL + (24 if b["target"] == "props" else 0) and not b["note"],
             f"{b['bucket']} shrinks to {b['octets']} octets {b['note']}", text)
    want((ROOT / "build/report/triage.html").stat().st_size > 4000, "there is no page")
    return f


def tree(place):
    """A fresh clone of what is here, changes that are not committed included."""
    status, commit = run("git", "stash", "create")
    commit = commit.strip() or "HEAD"
    want(status == 0, "this is no git checkout", commit)
    status, text = run("git", "clone", "--quiet", "--no-checkout", ROOT, place)
    want(status == 0, "git clone", text)
    _, sha = run("git", "rev-parse", commit)
    run("git", "fetch", "--quiet", ROOT, sha.strip(), cwd=place)
    status, text = run("git", "checkout", "--quiet", "-b", "trial", sha.strip(), cwd=place)
    want(status == 0, "git checkout", text)
    run("git", "config", "user.name", "A. Nobody", cwd=place)
    run("git", "config", "user.email", "nobody@example.org", cwd=place)


def in_a_clone(f, place):
    """The printed command, and the file where it says; with each compiler."""
    for b in f["buckets"]:
        kept = place / b["kept"]
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / b["kept"], kept)
        for compiler in ("", "--gcc", "--clang"):
            command = b["command"].replace("ci/replay", f"ci/replay {compiler}".strip(), 1)
            status, text = run("sh", "-c", command, cwd=place, seconds=1800)
            want(status == 1, f"{command} ends with status {status} in a fresh clone", text)
        want(b["bucket"].split(":")[1] in text.replace(" ", "-"),
             f"{command} does not say {b['bucket']}", text)


def shrink_late(work):
    """The worst case, for all targets at the same time: 64 KiB of which nothing can be cut."""
    program = ROOT / "build/replay-clang-plants/bin/sipws-replay"
    _, targets = run(program, "--targets", SIPWS_PLANT="NONE")
    place, running = work / "late", []
    place.mkdir()
    data = bytearray(b"0123456789abcde\n" * 4096)
    data[-6] = ord("!")
    for target in targets.split():
        if target == "props":
            continue  # an input is a selector and a tape: a shrinker of its own
        path = place / f"{target}-late"
        path.write_bytes(data)
        begun = time.monotonic()
        running.append((target, begun, subprocess.Popen(
            [program, "--target", target, "--shrink", path], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=environment(SIPWS_PLANT="NONE", SIPWS_SELFTEST="late"))))
    slowest = 0.0
    took = {}
    while len(took) < len(running):
        for target, begun, child in running:
            if target not in took and child.poll() is not None:
                took[target] = time.monotonic() - begun
        want(time.monotonic() - running[0][1] < 90, "--shrink does not end: "
             + ", ".join(t for t, _, _ in running if t not in took))
        time.sleep(0.05)
    for target, _, child in running:
        text = child.stderr.read().decode(errors="replace")
        want(child.returncode == 1 and "octets are now" in text, f"{target} does not fail late", text)
        want(took[target] < SHRINK_SECONDS, f"--shrink takes {took[target]:.1f} s for {target}")
        slowest = max(slowest, took[target])
    return len(running), slowest


def bisect(place, f):
    """A clone in which one commit of five switches the plant on, for good."""
    def commit(title, path, change):
        file = place / path
        file.write_text(change(file.read_text()))
        status, text = run("git", "commit", "-q", "-a", "-m", title, cwd=place)
        want(status == 0, f"git commit of {path}", text)

    name = f"SIPWS_PLANT({PLANT})"
    path = next((p for p in sorted((ROOT / "ref").glob("*.c"))
                 if re.search(rf"SIPWS_PLANT(_IF)?\({PLANT}\b", p.read_text())), None)
    want(path, f"{name} stands nowhere in ref")
    path = path.relative_to(ROOT)
    commit("Say more", "ref/err.c", lambda t: t + "/* more */\n")
    commit("Not C", "props/main_replay.c", lambda t: t + "}\n")
    commit("C again", "props/main_replay.c", lambda t: t[:-2])
    commit("Trust lengths", path, lambda t: re.sub(
        rf"SIPWS_PLANT\({PLANT}\)", "1", re.sub(rf"SIPWS_PLANT_IF\({PLANT}, ", "(1 && ", t)))
    commit("Say still more", "ref/err.c", lambda t: t + "/* still more */\n")
    b = next(b for b in f["buckets"] if b["target"] == TARGET)
    # Dirty, as it is where people look for a bug.
    (place / "README.md").write_text("changed\n")
    status, text = run("ci/replay", "--clang", "--bisect", "HEAD~5", "HEAD", b["kept"], cwd=place,
                       seconds=1800)
    want(status == 0 and re.search(r"first bad commit: [0-9a-f]{40}\n.*\n  Trust lengths\n", text),
         "--bisect does not find the commit", text)
    want((place / "README.md").read_text() == "changed\n", "--bisect touches the tree")
    want("skipped: does not build" in text or "Not C" not in text, "what does not build is judged", text)


# ---- all of it -----------------------------------------------------------------------------------

def step(what, function, *args):
    begun = time.monotonic()
    print(f"{what:44}", end=" ", flush=True)
    try:
        result = function(*args)
    except Failure as e:
        print(f"FAIL {time.monotonic() - begun:6.1f} s", flush=True)
        print(f"ci/test_findings.py: FAILED: {what}\n  why:  {e}\n  next: ci/test_findings.py",
              file=sys.stderr)
        raise SystemExit(1)
    print(f"ok   {time.monotonic() - begun:6.1f} s", flush=True)
    return result


def main():
    if sys.argv[1:]:
        print("usage: ci/test_findings.py", file=sys.stderr)
        return 2
    needed = [BUILDS / e / "bin" / f"fuzz-{TARGET}" for e in ("fuzz", "afl")]
    missing = [p for p in needed if not p.exists()]
    if missing:
        print(f"ci/test_findings.py: FAILED: {missing[0].relative_to(ROOT)} is not built\n"
              "  next: ci/selftest, which builds it and then calls this", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as d:
        work, clone = Path(d).resolve() / "findings", Path(d).resolve() / "clone"
        work.mkdir()
        step("libFuzzer, AFL++ and a property find it", make_findings, work)
        f = step("ci/triage", triage, work)
        count, slowest = step("--shrink of what cannot be cut", shrink_late, work)
        step("a fresh clone", tree, clone)
        step("the printed command there, gcc and clang", in_a_clone, f, clone)
        step("--bisect there", bisect, clone, f)
    print(f"ci/test_findings.py: {len(f['buckets'])} buckets, the largest of "
          f"{max(b['octets'] for b in f['buckets'])} octets; the worst case of {count} targets shrinks in "
          f"at most {slowest:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
