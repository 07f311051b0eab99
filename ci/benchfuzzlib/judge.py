"""Which of the inputs that triggered a plant make an oracle fail once the plant is on.

A canary only says that the bug would have made a difference. It counts as found when the target that
made the input, or the property in it, fails with it in a build with the plant on (sipws-replay)."""

import json
from concurrent.futures import ThreadPoolExecutor

from fuzzlib.process import output_of

BATCH = 8       # inputs of the first process; each further one has twice as many, up to
BATCHES = 64
SECONDS = 120   # for one process
MOST = 600      # inputs of one plant, target and trial


def of_trial(replay, trial, plants, oracle_keys):
    """{plant: {"found": seconds, "by": target or property, "labelled": seconds}}; `oracle_keys` says
    which key the inputs of a plant's own oracle have."""
    out = {}
    for name in plants:
        inputs = []
        for target, _ in trial.config.targets:
            folder = trial.log_of(target) / name
            if folder.is_dir():
                inputs += [read_name(p, target) for p in sorted(folder.iterdir())[:MOST]]
        if inputs:
            verdict = of_plant(replay, name, inputs, oracle_keys.get(name))
            if verdict:
                out[name] = verdict
    return out


def read_name(path, target):
    """(seconds, key, target, path) of DIR/PLANT/MILLISECONDS-KEY-COUNT."""
    ms, key, _ = path.name.split("-")
    return int(ms) / 1000, int(key), target, path


def of_plant(replay, name, inputs, oracle):
    """Looks first at those of the plant's own oracle, then at all that came before the first of these
    that fails. In each, the first that fails is the earliest."""
    inputs = sorted(inputs)
    own = [x for x in inputs if x[2] == "props" and x[1] == oracle]
    first = first_failing(replay, name, own)
    before = [x for x in inputs if x not in own and (first is None or x[0] < first[0][0])]
    earlier = first_failing(replay, name, before)
    if first is None and earlier is None:
        return None
    best = earlier or first
    return {"found": best[0][0], "by": best[1], "labelled": first[0][0] if first else None}


def first_failing(replay, name, inputs):
    """(input, what failed), or None."""
    size, i = BATCH, 0
    while i < len(inputs):
        batch = inputs[i:i + size]
        i, size = i + size, min(2 * size, BATCHES)
        for target in sorted({x[2] for x in batch}):
            some = [x for x in batch if x[2] == target]
            failing = which_fail(replay, name, target, [x[3] for x in some])
            some = [(x, failing[str(x[3])]) for x in some if str(x[3]) in failing]
            if some:
                return some[0] if len({x[2] for x in batch}) == 1 else earliest(replay, name, batch)
    return None


def earliest(replay, name, batch):
    """Of a batch of several targets."""
    for x in batch:
        failing = which_fail(replay, name, x[2], [x[3]])
        if failing:
            return x, failing[str(x[3])]
    return None


def which_fail(replay, name, target, paths):
    """{path: what failed}."""
    _, text = output_of([replay, "--json", "--target", target, *paths], SECONDS,
                        env={"SIPWS_PLANT": name, "ASAN_OPTIONS": "symbolize=0:detect_leaks=0"}, errors=False)
    out = {}
    for line in text.splitlines():
        try:
            o = json.loads(line)
        except ValueError:
            continue
        if isinstance(o, dict) and o.get("end") not in (None, "holds", "discarded"):
            out[o.get("file")] = o.get("property") or o.get("target") or target
    return out


def keys_of(listing, plants):
    """The key of each plant's oracle: its place in what `sipws-props --selftest --list` prints, which
    is that in property.def."""
    places = {line.split()[0]: i for i, line in enumerate(listing.splitlines()) if line.strip()}
    return {p["name"]: places.get(p["oracle"]) for p in plants}


def all_trials(replay, trials, plants, oracle_keys, jobs, told):
    """The verdicts of each trial, in order; `told(done)` after each."""
    names = [p["name"] for p in plants]
    with ThreadPoolExecutor(jobs) as pool:
        out = []
        for verdict in pool.map(lambda t: of_trial(replay, t, names, oracle_keys), trials):
            out.append(verdict)
            told(len(out))
        return out
