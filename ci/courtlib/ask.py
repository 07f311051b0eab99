"""Runs sipws-diff and sipws, and sorts the lines that they print."""

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

OPTIONS = {"sip": [], "ws": ["--ws"], "http": ["--http"]} # of sipws-diff, for what a peer speaks
WORDS = {"sip": "SIP", "ws": "frames", "http": "handshakes"}


class Trouble(Exception):
    """Why there is no page; the second argument is what to do next."""


class Lines:
    """What sipws-diff --json said, sorted by what its lines are (props/peers/README.md)."""

    def __init__(self):
        self.peers = []  # {"peer", "layer", "version" or "absent"}
        self.octets = {}  # file -> octets
        self.answers = {}  # file -> {peer: line}
        self.clusters, self.unseen, self.coalitions, self.faults = [], [], [], []

    def take(self, text, where):
        """Lines of one run. `where` names them where one is no JSON."""
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                self._sort(json.loads(line))
            except (ValueError, AttributeError, TypeError, KeyError) as e:
                raise Trouble(f"{where}, line {number}: no line of sipws-diff --json: {e}") from e

    def _sort(self, o):
        if "cluster" in o:
            self.clusters.append(o["cluster"])
        elif "coalition" in o:
            self.coalitions.append(o["coalition"])
        elif "unseen" in o:
            self.unseen.append(o["unseen"] | {"peers": o["peers"]})
        elif "file" in o and "octets" in o:
            self.octets[o["file"]] = octets(o["octets"])
        elif "file" in o and "peer" in o:
            self.answers.setdefault(o["file"], {})[o["peer"]] = o
        elif "fault" in o:
            self.faults.append(o)
        elif "peer" in o and "layer" in o:
            self.peers.append(o)


def octets(value):
    """Octets as sipws-diff writes them: text, or {"hex"} where they are not UTF-8."""
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()


def run(command, good=(0, 1, 2)):
    """What it prints. sipws-diff ends with 1 or 2 where it found something."""
    try:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    except OSError as e:
        raise Trouble(f"{command[0]}: {e.strerror}", "ci/test, or cmake --preset release && "
                      "cmake --build --preset release") from e
    if done.returncode not in good or (not done.stdout and done.stderr):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Trouble(f"{' '.join(str(c) for c in command[:3])}: status {done.returncode}: "
                      f"{said[0] if said else 'it said nothing'}")
    return done.stdout.decode()


def ask(program, sources, say):
    """All that one run over `sources` (options of sipws-diff) tells, for messages and frames."""
    lines = Lines()
    lines.take(run([program, "--json", "--peers"]), "sipws-diff --peers")
    for speaks, option in OPTIONS.items():
        command = [program, "--json", "--clusters", *(option or ["--coalitions"]), "--quiet", *sources]
        say(f"asks the peers that speak {WORDS[speaks]}")
        lines.take(run(command), " ".join(str(c) for c in command[:4]))
    return lines


def worst(lines, most=400):
    """Keeps the coalitions of the `most` witnesses that show the worst. How many are left out."""
    kept, out = {}, []
    for c in sorted(lines.coalitions, key=lambda c: (-c["severity"], c.get("octets", 0))):
        if len(kept) < most:
            kept[witness_of(c)] = None
        if witness_of(c) in kept:
            out.append(c)
    left, lines.coalitions = len(lines.coalitions) - len(out), out
    return left


def witness_of(entry):
    """Under which name the answers about its witness are kept: cases that were bred are all called
    the same, so what the octets are decides."""
    if "message" not in entry:
        return entry["witness"]
    return f"{entry.get('speaks', 'sip')} {hashlib.sha256(octets(entry['message'])).hexdigest()}"


def complete(lines, program, say):
    """Asks everybody about each witness whose octets or answers are not among the lines."""
    wanted = {speaks: {} for speaks in OPTIONS}
    for entry in lines.clusters + lines.coalitions:
        key, file = witness_of(entry), entry["witness"]
        if "message" in entry:
            lines.octets[key] = octets(entry["message"])
            if lines.octets.get(file) == lines.octets[key] and file in lines.answers:
                lines.answers[key] = lines.answers[file]
        if key not in lines.answers or key not in lines.octets:
            wanted[entry.get("speaks", "sip")][key] = file
    for speaks, names in wanted.items():
        if names:
            say(f"asks for all readings of {len(names)} witnesses")
            ask_for(lines, program, speaks, names)


def ask_for(lines, program, speaks, names):
    """All answers about the witnesses `names`: {key: where the octets lie, if they are not known}."""
    with tempfile.TemporaryDirectory(prefix="sipws-court-") as folder:
        files = {}
        for i, (key, file) in enumerate(names.items()):
            files[key] = file
            if key in lines.octets:
                files[key] = str(Path(folder) / f"{speaks}{i}")
                Path(files[key]).write_bytes(lines.octets[key])
        told = Lines()
        told.take(run([program, "--json", *OPTIONS[speaks], *files.values()]), "sipws-diff --json FILE")
        for key, file in files.items():
            if file not in told.answers:
                raise Trouble(f"{names[key]}: sipws-diff cannot read this witness")
            lines.answers[key], lines.octets[key] = told.answers[file], told.octets[file]


def errors(program):
    """What sipws says of each of its errors: {id: {"meaning", "why", "rfc", …}}."""
    found = {}
    for line in run([program, "explain", "--json"]).splitlines():
        o = json.loads(line)
        found[o["id"]] = o
    return found
