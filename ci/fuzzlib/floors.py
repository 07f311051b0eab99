"""Vacuity alarms: what a run must reach, or it has tested nothing.

A harness that returns at once is fast, stable and finds nothing; so is one whose generator makes
only what the first layer refuses. fuzz/floors has the least of features, speed and depth for each
target; a row that is below is trouble. A row has, too, which share of the time its target gets.
"""

import struct
from dataclasses import dataclass, field

ENOUGH = 1000     # executions, below which shares say little
CPU_ENOUGH = 1.0  # seconds of processor time, below which a rate does
PASSED = 20       # of a layer, at its floor: a share is judged where so many could be expected
# Of the floor of the rate: MemorySanitizer is slower, and AFL++'s own work counts as the target's.
RATE = {"libfuzzer": 1.0, "msan": 0.3, "afl": 0.15}
# Of the floor of a layer: in its first seconds AFL++ mutates but a few seeds, which may all be bad ones.
LAYERS = {"libfuzzer": 1.0, "msan": 1.0, "afl": 0.2}
FORK = 0.1        # of that, in libFuzzer's fork mode: each of its short jobs starts from the corpus

_RECORD = struct.Struct("=24sQ")  # fuzz/depth.h


@dataclass
class Floors:
    features: int
    rate: float
    time: float = 1.0  # its share beside the others'
    layers: dict = field(default_factory=dict)  # name -> percent


@dataclass
class Broken:
    target: str
    engine: str
    what: str
    measured: str
    floor: str
    command: str

    def __str__(self):
        return (f"{self.target} under {self.engine} is below a floor: {self.what} {self.measured}, "
                f"at least {self.floor}\n  why:  it tests little or nothing\n  next: {self.command}")


def read(path):
    """fuzz/floors as {target: Floors}. ValueError names the line."""
    floors = {}
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            target, features, rate, time, *layers = words
            pairs = [w.split("=") for w in layers]
            if not float(time) > 0:
                raise ValueError
            floors[target] = Floors(int(features), float(rate), float(time),
                                    {k: float(v) for k, v in pairs})
        except ValueError:
            raise ValueError(f"{path}:{n}: is no row of floors: {line.strip()}") from None
    return floors


def read_depth(path):
    """{layer: executions that passed it}, "executions" among them; {} where there is none."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    records = (_RECORD.unpack_from(data, at)
               for at in range(0, len(data) - _RECORD.size + 1, _RECORD.size))
    return {name.rstrip(b"\0").decode(): n for name, n in records if name.strip(b"\0")}


def share(depth, layer):
    """Percent."""
    return 100.0 * depth.get(layer, 0) / max(1, depth.get("executions", 0))


def judge(floors, row, command, fork=False):
    """What row (board.Row) is below of, as a list of Broken. `command` runs the target by hand."""
    f = floors.get(row.target)

    def broken(what, measured, floor):
        return Broken(row.target, row.words, what, measured, floor, command)

    if f is None:
        return [broken("rows in fuzz/floors", "0", "1")]
    found = []
    if row.engine == "libfuzzer" and row.seeded and row.features < f.features:
        found.append(broken("features", str(row.features), str(f.features)))
    if row.stability is not None and row.stability < 100:
        found.append(broken("stability", f"{row.stability:g}%", "100%"))
    least = f.rate * RATE[row.engine] * (FORK if fork and row.engine != "afl" else 1)
    if row.cpu >= CPU_ENOUGH and row.executions / row.cpu < least:
        found.append(broken("executions a second of processor time",
                            f"{row.executions / row.cpu:.0f}", f"{least:.0f}"))
    executions = row.depth.get("executions", 0)
    if row.executions < ENOUGH:
        return found
    if f.layers and executions == 0:
        found.append(broken("executions that the target counts", "0", str(ENOUGH)))
    else:
        for layer, percent in f.layers.items():
            least = percent * LAYERS[row.engine]
            if executions * least / 100 >= PASSED and share(row.depth, layer) < least:
                found.append(broken(f'the share past the layer "{layer}"',
                                    f"{share(row.depth, layer):.2f}%", f"{least:g}%"))
    return found
