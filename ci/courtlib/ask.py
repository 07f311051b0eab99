"""Runs sipws-diff and sipws, and sorts the lines that they print."""

import json
import subprocess
import tempfile
from pathlib import Path

SPEAKS = ("sip", "ws")


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
    for speaks in SPEAKS:
        command = [program, "--json", "--clusters", "--ws" if speaks == "ws" else "--coalitions", "--quiet", *sources]
        say(f"asks the peers that speak {'frames' if speaks == 'ws' else 'SIP'}")
        lines.take(run(command), " ".join(str(c) for c in command[:4]))
    return lines


def name_of(entry):
    """The name under which the answers about a cluster's or a coalition's witness are kept."""
    return entry["witness"]


def complete(lines, program, say):
    """Asks everybody about each witness whose octets or answers are not among the lines."""
    wanted = {"sip": {}, "ws": {}}
    for entry in lines.clusters + lines.coalitions:
        if "message" in entry:
            lines.octets[name_of(entry)] = octets(entry["message"])
        if name_of(entry) not in lines.answers or name_of(entry) not in lines.octets:
            wanted[entry.get("speaks", "sip")][name_of(entry)] = None
    with tempfile.TemporaryDirectory(prefix="sipws-court-") as folder:
        for speaks, names in wanted.items():
            if not names:
                continue
            say(f"asks for all readings of {len(names)} witnesses")
            files = {}
            for i, name in enumerate(names):
                files[name] = name
                if name in lines.octets:
                    files[name] = str(Path(folder) / f"{speaks}{i}")
                    Path(files[name]).write_bytes(lines.octets[name])
            told = Lines()
            option = ["--ws"] if speaks == "ws" else []
            told.take(run([program, "--json", *option, *files.values()]), "sipws-diff --json FILE")
            for name, file in files.items():
                if file not in told.answers:
                    raise Trouble(f"{name}: sipws-diff cannot read this witness")
                lines.answers[name], lines.octets[name] = told.answers[file], told.octets[file]


def errors(program):
    """What sipws says of each of its errors: {id: {"meaning", "why", "rfc", …}}."""
    found = {}
    for line in run([program, "explain", "--json"]).splitlines():
        o = json.loads(line)
        found[o["id"]] = o
    return found
