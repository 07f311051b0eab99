"""Dividing the seconds over runs and cores.

A run is one target under one engine. All of the time is `cores` times `seconds`; each run gets a
share by its weight and never less than its floor, below which an engine hardly starts. What does
not fit is left out, the lightest first, and is named in the report.
"""

from dataclasses import dataclass

FLOOR = 2.0      # seconds; a shorter run mostly starts and ends. An engine may need more
OVERHEAD = 0.6   # seconds that starting and ending a run takes of a core
LONGEST = 300.0  # seconds; then the next engine takes over what this one has found


@dataclass
class Share:
    key: object      # what runs
    weight: float
    seconds: float = 0.0


@dataclass
class Plan:
    rounds: int      # the shares are run so many times over
    shares: list     # in the order of running; seconds are of one round
    left_out: list   # keys for which there is no time
    workers: int = 1  # of each share at the same time

    def makespan(self, cores):
        """Seconds until the last core is done with one round."""
        ends = [0.0] * cores
        for share in self.shares:
            for _ in range(self.workers):
                first = ends.index(min(ends))
                ends[first] += share.seconds + OVERHEAD
        return max(ends)


def divide(weights, seconds, cores, floors=None):
    """weights: {key: weight} in the order of running; floors: {key: seconds}, else FLOOR."""
    floors = floors or {}
    keys = list(weights)
    left_out = []

    def shares(unit):
        return [Share(k, weights[k], max(floors.get(k, FLOOR), unit * weights[k])) for k in keys]

    while keys and Plan(1, shares(0), []).makespan(cores) > seconds:
        lightest = min(weights[k] for k in keys)
        # Of equal ones the last: whoever has the time starts at the front.
        victim = [k for k in keys if weights[k] == lightest][-1]
        keys.remove(victim)
        left_out.insert(0, victim)
    if not keys:
        return Plan(1, [], left_out)

    workers = max(1, cores // len(keys))
    runs = len(keys) * workers
    rounds = max(1, int(cores * seconds / (runs * (LONGEST + OVERHEAD))))
    time = seconds / rounds

    # The largest unit whose round ends in time.
    low, high = 0.0, cores * time / (sum(weights[k] for k in keys) * workers)
    for _ in range(40):
        middle = (low + high) / 2
        if Plan(rounds, shares(middle), [], workers).makespan(cores) <= time:
            low = middle
        else:
            high = middle
    return Plan(rounds, shares(low), left_out, workers)
