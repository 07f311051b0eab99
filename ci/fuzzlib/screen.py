"""The live table: redrawn in place on a terminal, a line now and then elsewhere."""

import os
import shutil
import sys
import time


def count(n):
    return f"{int(n):,}"


def short(n):
    """1234567 as 1.23M: for what changes faster than one reads."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if n >= size:
            value = n / (1e3 if unit == "k" else size)
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return str(int(n))


COLUMNS = ("target", "engine", "executions", "per second", "edges", "corpus", "findings", "left")


def cells(row):
    known = row.state in ("runs", "done") or row.executions
    left = {"waits": "waits", "done": "done", "failed": "FAILED", "left out": "left out"}
    return (row.target, row.words,
            count(row.executions) if known else "",
            short(row.rate) if row.rate else "",
            count(row.edges) if row.edges else "",
            count(row.corpus) if row.corpus else "",
            str(row.findings) if known else "",
            f"{row.left:.0f} s" if row.left is not None else left.get(row.state, ""))


def table(rows, colour=False):
    """Lines of text. The first two columns are words, the others numbers."""
    body = [cells(r) for r in rows]
    wide = [max(len(c[i]) for c in body + [COLUMNS]) for i in range(len(COLUMNS))]

    def line(c):
        return "  ".join(v.ljust(wide[i]) if i < 2 else v.rjust(wide[i])
                         for i, v in enumerate(c)).rstrip()

    lines = [paint(line(COLUMNS), "2", colour)]
    for row, c in zip(rows, body):
        look = ("31" if row.findings or row.state == "failed" else
                "1" if row.state == "runs" else "2" if row.state in ("waits", "left out") else "")
        lines.append(paint(line(c), look, colour))
    return lines


def paint(text, look, colour):
    return f"\x1b[{look}m{text}\x1b[0m" if colour and look else text


def fit(rows, height):
    """Those that run, and as many of the others as fit."""
    if len(rows) <= height:
        return rows
    keep = [r for r in rows if r.state == "runs" or r.findings or r.state == "failed"]
    for r in rows:
        if len(keep) >= height:
            break
        if r not in keep:
            keep.append(r)
    return [r for r in rows if r in keep][:height]


class Screen:
    def __init__(self, out=None, every=10.0):
        self.out = out or sys.stdout
        self.live = self.out.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and "NO_COLOR" not in os.environ
        self.every = every
        self.drawn = 0      # lines of the last drawing
        self.last = 0.0

    def say(self, text):
        """A line that stays."""
        self._clear()
        print(text, file=self.out, flush=True)
        self.last = 0.0 if self.live else self.last

    def draw(self, rows, headline, force=False):
        now = time.monotonic()
        if now - self.last < (0.25 if self.live else self.every) and not force:
            return
        self.last = now
        if not self.live:
            busy = ", ".join(f"{r.target}/{r.engine} {short(r.rate)}/s" for r in rows
                             if r.state == "runs")
            print(headline + (f"; now {busy}" if busy else ""), file=self.out, flush=True)
            return
        size = shutil.get_terminal_size()
        shown = fit(rows, max(3, size.lines - 4))
        text = [clip(s, size.columns - 1) for s in table(shown, self.colour)]
        if len(shown) < len(rows):
            text.append(paint(f"and {len(rows) - len(shown)} more", "2", self.colour))
        self._clear()
        text.append(clip(headline, size.columns - 1))
        self.out.write("\n".join(text) + "\n")
        self.out.flush()
        self.drawn = len(text)

    def _clear(self):
        if self.drawn:
            self.out.write(f"\x1b[{self.drawn}F\x1b[J")
            self.drawn = 0

    def close(self, rows):
        """The last table stays."""
        self._clear()
        print("\n".join(table(rows, self.colour)), file=self.out, flush=True)


def clip(text, width):
    """At most so many columns; escape sequences take none."""
    if len(text) <= width:
        return text
    out, shown, i = "", 0, 0
    while i < len(text):
        if text[i] == "\x1b":
            end = text.index("m", i) + 1
            out, i = out + text[i:end], end
            continue
        if shown < width:
            out, shown = out + text[i], shown + 1
        i += 1
    return out
