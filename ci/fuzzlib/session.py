"""ci/fuzz from its arguments to the report."""

import hashlib
import time
from datetime import datetime, timezone

from . import board, build, corpus, coverage, findings, floors, report, schedule
from .engines import ENGINES, make_run
from .layout import files_of
from .properties import Differential, Properties
from .runner import Runner
from .screen import Screen, count, short

SMALL = 20.0  # seconds beyond the time for making findings small


class Session:
    def __init__(self, layout, seconds, targets, engines, cores, seed, save=False, screen=None):
        self.layout, self.seconds, self.cores = layout, seconds, cores
        self.targets, self.engines, self.seed, self.save = targets, engines, seed, save
        self.screen = screen or Screen(every=max(2.0, min(30.0, seconds / 12)))
        self.trouble = []
        self.not_run = []
        self.runs = []
        self.merges = {}
        self.saved = {}
        self.phases = []
        self.properties = self.differential = self.coverage = None
        self.desk = findings.Desk(layout, 0.0, self.screen.say)
        self.runner = None
        self.interrupted = False
        self.looked_into = False
        self.took = 0.0
        self.ends = None

    # ---- parts -----------------------------------------------------------------------------------

    def interrupt(self):
        self.interrupted = True
        if self.runner:
            self.runner.stopped = True

    def secondaries(self):
        """Does AFL++ run several times on a target at the same time?"""
        return bool(self.layout.sync) or self.cores > len(self.targets) * len(self.engines)

    def reserve(self):
        """Seconds at the end for merging and coverage."""
        return max(2.0, min(0.15 * self.seconds, 6.0 + 1.5 * len(self.targets), 60.0))

    def floors_table(self):
        """What fuzz/floors says; {} where it cannot be read, which _floors tells of."""
        try:
            return floors.read(self.layout.floors)
        except (OSError, ValueError):
            return {}

    def plan(self, seconds):
        """The runs in order: first every target under libFuzzer, then AFL++ from what that found,
        then MSan."""
        weights, least, table = {}, {}, self.floors_table()
        for engine in self.engines:
            left_out = self.layout.left_out(ENGINES[engine][0])
            for target in self.targets:
                if target in left_out:
                    self.not_run.append({"what": f"{target} under {ENGINES[engine][1]}",
                                         "why": left_out[target]})
                    continue
                share, least[target, engine] = ENGINES[engine][2:]
                weights[target, engine] = share * (table[target].time if target in table else 1.0)
        if self.layout.program("sipws-props").exists():
            # Between the engines, so that it does not come last.
            weights = insert(weights, ("properties", None),
                             max(1.0, 0.1 * sum(weights.values())), len(self.targets))
        else:
            self.not_run.append({"what": "the properties", "why": "sipws-props was not built"})
        plan = schedule.divide(weights, seconds, self.cores, least)
        for target, engine in plan.left_out:
            what = f"{target} under {ENGINES[engine][1]}" if engine else "the properties"
            self.not_run.append({"what": what, "why": f"{self.seconds:g} s on {self.cores} cores are "
                                 "too little to run everything"})
        runs = []
        for turn in range(plan.rounds):
            for share in plan.shares:
                target, engine = share.key
                if not engine:
                    if turn == 0:
                        self.properties = Properties(self.layout, share.seconds * plan.rounds,
                                                     self.seed)
                        runs.append(self.properties)
                    continue
                team = plan.workers
                if engine == "afl" and self.layout.sync:
                    team = max(2, team)
                seconds = share.seconds * plan.workers / team
                for worker in range(team):
                    run = make_run(self.layout, target, engine, seconds, worker, turn)
                    run.team = team
                    runs.append(run)
                    self.runs.append(run)
        return runs

    def found(self, target, engine):
        """Findings; until they are looked into, files that may be some."""
        if self.looked_into:
            return len(self.desk.by_run.get((target, engine), ()))
        return sum(len(r.artifacts) for r in self.runs if (r.target, r.engine) == (target, engine))

    def rows(self):
        """With the properties and the differential, which have cases instead of executions."""
        rows = board.rows(self.runs, self.found)
        for r in (self.properties, self.differential):
            if r:
                spent = r.elapsed()
                rows.append(board.Row(r.target, r.engine, r.engine, r.state, r.trouble,
                                      executions=r.cases, rate=r.cases / spent if spent > 0.2 else 0,
                                      seconds=spent, left=r.left(), findings=sum(
                                          p.state in ("FAIL", "SICK")
                                          for p in getattr(r, "results", []))))
        return rows

    def draw(self, force=False):
        rows = self.rows()
        left = max(0.0, self.ends - time.monotonic())
        total = sum(r.executions for r in rows if r.engine in ENGINES)
        over = sum(r.state in ("done", "failed", "left out") for r in self.runs)
        self.screen.draw(rows, f"{left:.0f} s left of {self.seconds:g}; {over} of {len(self.runs)} "
                         f"runs are over, {short(total)} executions", force)

    def after(self, run):
        if run.state == "failed":
            self.trouble.append(f"{run.name}: {run.trouble}")
        if getattr(run, "note", ""):
            self.not_run.append({"what": f"all of {run.name}", "why": run.note})
        if run.state == "left out" and run.trouble:
            self.not_run.append({"what": run.name, "why": run.trouble})
        if hasattr(run, "gather") and run.begun is not None:
            run.gather()

    # ---- the whole -------------------------------------------------------------------------------

    def fuzz(self):
        begun = time.monotonic()
        self.ends = begun + self.seconds
        if not self.targets:
            self.trouble.append("there are no fuzz targets: fuzz/target_*.c")
        self.phase("fuzz, properties, differential", self._run)
        if not self.interrupted:
            self._floors()
        self.desk.deadline = max(self.ends, time.monotonic()) + SMALL
        self.phase("look into findings", self._findings)
        if not self.interrupted:
            self.phase("merge", self._merge)
            self.phase("coverage", self._coverage)
        self.took = time.monotonic() - begun
        self.screen.close(self.rows())

    def rehearse(self):
        """Only the runs: what ci/bench-fuzz watches."""
        self.ends = time.monotonic() + self.seconds
        self._run()

    def phase(self, what, function):
        begun = time.monotonic()
        try:
            function()
        except KeyboardInterrupt:
            self.interrupt()
        self.phases.append(build.Built(what, time.monotonic() - begun))

    def _run(self):
        until = self.ends - self.reserve()
        runs = self.plan(until - time.monotonic())
        diff = self.layout.program("sipws-diff")
        if diff.exists():
            self.differential = Differential(self.layout, max(1.0, 0.05 * self.seconds))
            runs.insert(min(len(runs), len(self.targets)), self.differential)
        else:
            self.not_run.append({"what": "the differential", "why": "sipws-diff was not built"})
        self.runner = Runner(self.cores, until, self.draw)
        self.runner.stopped = self.interrupted
        try:
            self.runner.run(runs, self.after)
        except BaseException:
            for r in runs:
                r.kill()
            raise
        for r in self.runs:
            if r.begun is None:
                self.after(r)
        for p in (self.properties.results if self.properties else []):
            if p.state == "not run" and not self.interrupted:
                self.not_run.append({"what": f"property {p.name}", "why": "the time was over"})

    def _floors(self):
        """A run that tested nothing is trouble. Where it ended early by a finding, that is told."""
        try:
            table = floors.read(self.layout.floors)
        except (OSError, ValueError) as e:
            self.trouble.append(str(e))
            return
        ended = {(r.target, r.engine) for r in self.runs if r.artifacts}
        for row in board.rows(self.runs):
            if row.state == "done" and (row.target, row.engine) not in ended:
                program = self.layout.relative(self.layout.fuzzer("fuzz", row.target))
                command = f"{program} -max_total_time=5 corpus/seeds/{row.target}"
                self.trouble += map(str, floors.judge(table, row, command, self.layout.fork > 0))

    def _findings(self):
        for p in (self.properties.results if self.properties else []):
            if p.state in ("FAIL", "SICK"):
                self.desk.take_property(p)
        seen, known = {}, set()
        for run in self.runs:
            log = ""
            if run.artifacts:
                log = (run.dir / "log").read_text(errors="replace")
            for path in run.artifacts:
                # A seed that fails is met by every worker, and again after each restart.
                same = (run.target, run.engine, hashlib.sha256(path.read_bytes()).digest())
                if same in known:
                    continue
                known.add(same)
                n = seen[run.target] = seen.get(run.target, 0) + 1
                if n > 60 or self.desk.left(60) <= 1:
                    self.desk.notes.append(f"{run.target}: more files were found than there was "
                                           f"time to look into; they are in {run.dir}")
                    break
                self.desk.take(run.target, path, run.engine, log)
        self.looked_into = True

    def _merge(self):
        merges = [corpus.Merge(self.layout, t) for t in self.targets
                  if files_of(self.layout.corpus(t)) and self.layout.fuzzer("fuzz", t).exists()]
        # Most of the reserve; the rest is for coverage.
        until = max(self.ends - 0.3 * self.reserve(), time.monotonic() + 2)
        self.runner = Runner(self.cores, until)
        self.runner.run(merges, self.after)
        self.merges = {m.target: m for m in merges}
        for t in self.targets if self.save and not self.interrupted else []:
            self.saved[t] = corpus.save(self.layout, t, 60)
            if self.saved[t] is None:
                self.not_run.append({"what": f"saving the corpus of {t}", "why": "took too long"})
            else:
                self.screen.say(f"{t}: {len(self.saved[t])} new files in corpus/seeds/{t}/")

    def _coverage(self):
        left = max(3.0, self.ends - time.monotonic())
        self.coverage = coverage.of_corpora(self.layout, self.targets, left)
        if self.coverage.trouble:
            self.not_run.append({"what": "coverage", "why": self.coverage.trouble})

    # ---- what came of it -------------------------------------------------------------------------

    def status(self):
        if self.desk.findings:
            return 1
        if self.trouble:
            return 2
        return 130 if self.interrupted else 0

    def facts(self, builder):
        status = self.status()
        c = self.coverage
        where = build.commit(self.layout.root)
        self.not_run += [{"what": "a closer look", "why": n} for n in self.desk.notes]
        self.desk.notes = []
        return {
            "format": 1,
            "verdict": {0: "clean", 1: "findings", 2: "trouble", 130: "interrupted"}[status],
            "status": status,
            "when": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "seconds": self.seconds, "took": round(self.took, 2), "cores": self.cores,
            "seed": self.seed,
            "commit": where and {"hash": where[0], "subject": where[1], "changed": where[2]},
            "machine": build.machine(), "versions": build.versions(),
            "phases": [vars(b) for b in builder.done + self.phases],
            "trouble": self.trouble,
            "rows": [{k: v for k, v in vars(r).items() if k != "left"}
                     for r in board.rows(self.runs, self.found)],
            "findings": [{k: v for k, v in vars(x).items() if k != "key"}
                         for x in self.desk.all()],
            "properties": [{
                "name": p.name, "sentence": p.sentence, "state": p.state, "cases": p.cases,
                "seconds": round(p.seconds, 2), "command": p.command,
                "discarded": 100 * p.discarded / p.cases if p.cases else 0.0,
                "classes": [{"label": k, "percent": round(p.percent(k), 2)} for k in p.classes],
            } for p in (self.properties.results if self.properties else [])],
            "differential": self.differential and {
                "state": self.differential.state, "trouble": self.differential.trouble,
                "files": self.differential.done, "agreed": self.differential.agreed,
                "program": self.layout.relative(self.layout.program("sipws-diff")),
                "disagreements": [vars(d) for d in self.differential.disagreements]},
            "court": (self.layout.report / "court.html").is_file(),  # ci/court writes it
            "coverage": c and {
                "inputs": c.inputs, "html": c.html, "trouble": c.trouble,
                "not_linked": c.not_linked,
                "lines": c.total("lines"), "branches": c.total("branches"),
                "functions": c.total("functions"),
                "files": [{"path": f.path, "lines": [f.lines_hit, f.lines],
                           "branches": [f.branches_hit, f.branches],
                           "functions": [f.functions_hit, f.functions]} for f in c.files]},
            "corpus": [{
                "target": t, "seeds": len(self.layout.given_files(t)),
                "before": (self.merges[t].before if t in self.merges
                           else len(files_of(self.layout.corpus(t)))),
                "after": self.merges[t].after if t in self.merges else None,
                "saved": len(self.saved[t]) if self.saved.get(t) is not None else None,
            } for t in self.targets],
            "not_run": self.not_run,
        }

    def summary(self, page):
        """What a terminal shows at the end."""
        total = sum(r.executions for r in board.rows(self.runs))
        say = self.screen.say
        say(f"\n{count(total)} executions, "
            f"{count(self.properties.cases if self.properties else 0)} cases of properties in "
            f"{self.took:.0f} s")
        for x in self.desk.all():
            say(f"\nFINDING  {x.target}: {x.title}\n         {x.size} octets; replay it with\n"
                f"         {x.command}")
        for t in self.trouble:
            say("TROUBLE  " + t.replace("\n", "\n         "))
        for x in self.not_run:
            say(f"not run: {x['what']}: {x['why']}")
        say(f"report:  {self.layout.relative(page)}")


def insert(weights, key, weight, at):
    items = list(weights.items())
    items.insert(min(at, len(items)), (key, weight))
    return dict(items)


def write_report(session, builder):
    return report.write(session.layout, session.facts(builder))
