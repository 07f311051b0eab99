"""Keeps the cores busy until the time is over."""

import time
from collections import deque

TICK = 0.1
LEAST = 1.2  # seconds; with less left nothing is started


class Runner:
    """Runs are started in order, `cores` at a time. Each gets what it wants, or what is left."""

    def __init__(self, cores, until, on_tick=lambda: None):
        self.cores, self.until, self.on_tick = cores, until, on_tick
        self.stopped = False

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
                run.start(min(run.wanted, left))
                active.append(run)
            self.on_tick()
            if active:
                time.sleep(TICK)
