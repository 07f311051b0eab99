"""What the table and the report show: the runs of one target under one engine, as one row."""

from dataclasses import dataclass, field

from .engines import ENGINES


@dataclass
class Row:
    target: str
    engine: str
    words: str            # what the engine is
    state: str            # waits, runs, done, failed, left out
    trouble: str = ""
    executions: int = 0
    rate: float = 0.0     # a second of wall time, all workers
    edges: int = 0
    features: int = 0
    corpus: int = 0
    stability: float = None
    findings: int = 0
    seconds: float = 0.0  # of wall time
    cpu: float = 0.0      # seconds of processor time, all workers
    seeded: bool = False  # all seeds were run
    depth: dict = field(default_factory=dict)  # layer -> executions that passed it
    left: float = None
    points: list = field(default_factory=list)


def fold(target, engine, runs, findings=0):
    """`runs` are those of one target under one engine: workers at the same time, turns behind one
    another. The curve is that of the first worker through all turns."""
    row = Row(target, engine, ENGINES[engine][1], "waits", findings=findings)
    states = [r.state for r in runs]
    for state in ("runs", "failed", "done", "waits", "left out"):
        if state in states:
            row.state = state
            break
    if row.state == "waits" and any(r.begun for r in runs):
        row.state = "runs"
    row.trouble = next((r.trouble for r in runs if r.trouble), "")
    begun = [r for r in runs if r.begun is not None]
    for r in begun:
        s = r.stats
        row.executions += s.executions
        row.edges = max(row.edges, s.edges)
        row.features = max(row.features, s.features)
        row.corpus = max(row.corpus, s.corpus)
        row.cpu += s.cpu
        row.seeded = row.seeded or s.started
        for layer, n in s.depth.items():
            row.depth[layer] = row.depth.get(layer, 0) + n
        if s.stability is not None:
            row.stability = min(s.stability, 100.0 if row.stability is None else row.stability)
    spent = sum(r.elapsed() for r in begun)
    workers = len({r.worker for r in begun}) or 1
    row.seconds = spent / workers
    known = row.seconds > 0.2 and any(r.stats.rate for r in begun)
    row.rate = row.executions / row.seconds if known else 0.0
    left = [r.left() for r in runs if r.left() is not None]
    row.left = max(left) if left else None
    at = executed = 0
    for r in begun:
        if r.worker == 0:
            row.points += [(round(at + p[0], 2), executed + p[1], p[2], p[3])
                           for p in r.stats.points]
            at += r.elapsed()
            executed += r.stats.executions
    return row


def rows(runs, found=lambda target, engine: 0):
    """All runs as rows, targets together, in the order in which the engines are named."""
    groups = {}
    for r in runs:
        groups.setdefault((r.target, r.engine), []).append(r)
    order = list(ENGINES)
    keys = sorted(groups, key=lambda k: (k[0], order.index(k[1])))
    return [fold(t, e, groups[t, e], found(t, e)) for t, e in keys]
