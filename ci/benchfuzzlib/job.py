"""Which plants `ci/fuzz SECONDS` would find: its own session, with its runs, shares of time and
corpora, of programs that watch all plants at once.

A fuzz target counts as the oracle of a plant when it is the props target, an input of it that triggered
the plant was drawn for the plant's own property, and that property fails with it once the plant is on.
sipws-props needs no canaries: it runs the cases that the session had for the plant's property again,
with the plant on."""

import time
from concurrent.futures import ThreadPoolExecutor

from fuzzlib import build, properties
from fuzzlib.engines import ENGINES
from fuzzlib.layout import Layout
from fuzzlib.process import output_of
from fuzzlib.session import Session

from . import judge, trials

FOLDERS = {"fuzz": "ours", "afl": "afl", "msan": "msan"}  # preset -> below build/bench
LONG = 600.0  # seconds, for one turn of a property with a plant on


class Watched(Layout):
    """The checkout, with the programs that watch, and a place of its own for all that a session writes."""

    def __init__(self, root, where):
        super().__init__(root)
        self.where = where
        self.corpora, self.work, self.findings = where / "corpus", where / "run", where / "findings"
        self.begun = time.time()

    def folder(self, preset):
        return self.build / "bench" / FOLDERS[preset]

    def fuzzer(self, preset, target):
        return self.folder(preset) / "bin" / f"fuzz-{target}"

    def left_out(self, preset):
        return self.left_out_of(self.folder(preset))

    def program(self, name):
        return props_program(self) if name == "sipws-props" else super().program(name)

    def watched(self, target):
        """The folder with what the target's executions reached and triggered."""
        return self.where / "seen" / target

    def watch(self, target):
        folder = self.watched(target)
        folder.mkdir(parents=True, exist_ok=True)
        return {"SIPWS_CANARY_LOG": str(folder), "SIPWS_CANARIES": str(folder / "counts"),
                "SIPWS_CANARY_START": f"{self.begun:.3f}"}


def props_program(layout):
    """As fast as the one that ci/fuzz runs: no sanitizers."""
    return layout.build / "bench" / "plants" / "bin" / "sipws-props"


class Job:
    """What judge.of_trial wants to know of a trial."""

    def __init__(self, layout, targets):
        self.config, self.log_of = self, layout.watched
        self.targets = [(t, 1) for t in targets]


def run(root, where, seconds, cores, seed):
    """(layout, session that is over)."""
    layout = Watched(root, where)
    layout.work.mkdir(parents=True)
    session = Session(layout, seconds, layout.targets(), list(ENGINES), cores or build.cores(), seed)
    session.rehearse()
    return layout, session


def by_properties(layout, session, plants):
    """{plant: cases until its property failed}: the turns that the session had time for."""
    done = {r.name: r.cases for r in (session.properties.results if session.properties else [])}

    def one(plant):
        cases = turn = 0
        while cases < done.get(plant["oracle"], 0):
            status, text = output_of(
                [props_program(layout), "--cases", properties.cases_of(turn), "--seed", session.seed + turn,
                 "--save", layout.where / "tapes", plant["oracle"]], LONG,
                env={"SIPWS_PLANT": plant["name"]})
            result = properties.Result(plant["oracle"], "")
            known = properties.read_result(text, result)
            cases += result.cases
            if result.state == "FAIL" or (not known and status not in (0, None)):
                return cases or 1
            if not known:
                return None  # took too long
            turn += 1
        return None

    (layout.where / "tapes").mkdir(exist_ok=True)
    with ThreadPoolExecutor(session.cores) as pool:
        found = zip([p["name"] for p in plants], pool.map(one, plants))
        return {name: cases for name, cases in found if cases}


def by_targets(layout, session, plants, replay, keys, told):
    """{plant: what judge.of_plant says}, of each plant by itself."""
    job, out = Job(layout, session.targets), {}

    def one(name):
        return judge.of_trial(replay, job, [name], keys).get(name)

    names = [p["name"] for p in plants]
    with ThreadPoolExecutor(session.cores) as pool:
        for n, (name, verdict) in enumerate(zip(names, pool.map(one, names)), 1):
            if verdict:
                out[name] = verdict
            told(n, len(names))
    return out


def seen(layout, targets, names):
    """(executions, reached, triggered) of all targets."""
    diaries = [trials.read_diary(layout.watched(t), names) for t in targets]
    return (sum(d["executions"] for d in diaries), {n for d in diaries for n in d["reached"]},
            {n for d in diaries for n in d["triggered"]})


def facts(plants, cases, verdicts, reached, triggered):
    """A row a plant: how its own oracle found it (None: not), who else did, how far it came."""
    rows = []
    for p in plants:
        name, verdict = p["name"], verdicts.get(p["name"], {})
        if name in cases:
            by = f"sipws-props, case {cases[name]:,} of {p['oracle']}"
        elif verdict.get("labelled") is not None:
            by = f"fuzz-props, {p['oracle']} after {verdict['labelled']:.0f} s"
        else:
            by = None
        rows.append({**p, "found": by, "other": None if by else verdict.get("by"),
                     "came": "triggered" if name in triggered else
                             "reached" if name in reached else "not reached"})
    return rows


def lines(rows):
    """Those that were missed, then the sum."""
    out = [f"missed  {r['name']:22} {r['oracle']:16} {r['came']}"
           + (f", found by {r['other']}" if r["other"] else "") for r in rows if not r["found"]]
    n, found = len(rows), sum(bool(r["found"]) for r in rows)
    out.append(f"{found} of {n} plants were found by their own oracle ({100 * found / max(n, 1):.1f}%)")
    return out
