"""Keeps the cores busy until the time is over."""

import time
from collections import deque

from .schedule import OVERHEAD

TICK = 0.1
STRETCH = 1.5  # at most, of what a run wants
LEAST = 1.2  # seconds; with less left nothing is started


class Runner:
    """Runs are started in order, `cores` at a time. Each gets what it wants, or what is left; where those
    before it took less than was planned, its part of that too."""

    def __init__(self, cores, until, on_tick=lambda: None):
        self.cores, self.until, self.on_tick = cores, until, on_tick
        self.stopped = False

    def stretch(self, left, to_come, active):
        """How many times what they want the runs to come may have. The last ones cannot be divided over
        the cores, so they have no more than they want."""
        if len(to_come) < self.cores:
            return 1.0
        free = self.cores * left - sum(r.left() or 0.0 for r in active)
        wanted = sum(r.wanted for r in to_come)
        return min(max((free - OVERHEAD * len(to_come)) / wanted, 1.0), STRETCH)

    def run(self, runs, after=lambda run: None):
        """`after` is called with each run that is over."""
        waiting, active = deque(runs), []
        while waiting or active:
            now = time.monotonic()
            left = self.until - now
            for run in list(active):
                if self.stopped:
                    run.interrupt()
                elif left < -5:  # it was told to end long ago
                    run.kill()
                if run.poll():
                    active.remove(run)
                    after(run)
            while waiting and len(active) < self.cores:
                run = waiting.popleft()
                if self.stopped or left < LEAST:
                    run.state = "left out"
                    run.trouble = "stopped before" if self.stopped else "the time was over"
                    continue
                run.deadline = self.until
                run.start(min(run.wanted * self.stretch(left, [run, *waiting], active), left))
                active.append(run)
            self.on_tick()
            if active:
                time.sleep(TICK)
