"""What the trials come to, and the report: build/report/bench-fuzz.html and .json from the same
facts."""

from fuzzlib import plot
from fuzzlib.report import document, e, figure, one, section, table
from fuzzlib.screen import count, short

from . import stats
from .trials import DEPTH_NAMES

OURS = "ours"
COLOURS = {"ours": "var(--good)", "libfuzzer": "var(--libfuzzer)", "afl": "var(--afl)",
           "random": "var(--msan)"}


# ---- figures -------------------------------------------------------------------------------------

def times(facts, config, plant, key="found"):
    """Of one plant in each trial: (seconds, was it seen before the end)."""
    out = []
    for trial in config["trials"]:
        at = trial["plants"].get(plant, {}).get(key)
        end = facts["trial_seconds"]
        out.append((min(at, end), True) if at is not None and at <= end else (end, False))
    return out


def of_config(facts, config):
    names = [p["name"] for p in facts["plants"]]
    pooled = [x for name in names for x in times(facts, config, name)]
    steps = stats.kaplan_meier([t for t, _ in pooled], [s for _, s in pooled]) if pooled \
        else [(0.0, 1.0)]
    trials = config["trials"]
    found = [[n for n in names if t["plants"].get(n, {}).get("found") is not None] for t in trials]
    means = [sum(min(t["plants"].get(n, {}).get("found") or facts["trial_seconds"],
                     facts["trial_seconds"]) if n in here else facts["trial_seconds"] for n in names)
             / max(1, len(names)) for t, here in zip(trials, found)]
    executions = sum(t["executions"] for t in trials)
    seconds = sum(t["seconds"] for t in trials)
    depths = [sum(t["depths"][i] for t in trials) for i in range(len(DEPTH_NAMES))]

    def union(key):
        return [n for n in names if any(t["plants"].get(n, {}).get(key) is not None for t in trials)]

    return {
        "found": union("found"), "labelled": union("labelled"), "reached": union("reached"),
        "triggered": union("triggered"), "per_trial": [len(x) for x in found], "means": means,
        "survival": steps, "restricted_mean": stats.restricted_mean(steps, facts["trial_seconds"]),
        "executions": executions, "rate": executions / seconds if seconds else 0.0,
        "depths": [d / max(1, executions) for d in depths],
    }


def compare(facts):
    """Ours against each other configuration: plants found in a trial, and the mean time to a plant of
    a trial. One family of tests."""
    out, s = [], facts["summary"]
    for what, key in (("plants found", "per_trial"), ("mean time to a plant", "means")):
        for c in facts["configs"]:
            if c["name"] == OURS or not c["trials"] or not s[OURS][key]:
                continue
            x, y = s[OURS][key], s[c["name"]][key]
            u, p = stats.mann_whitney(x, y)
            out.append({"other": c["name"], "what": what, "ours": stats.median(x),
                        "theirs": stats.median(y), "u": u, "p": p, "a12": list(stats.a12(x, y))})
    for row, p in zip(out, stats.holm([row["p"] for row in out])):
        row["holm"] = p
    return out


def losses(facts):
    """Plants that a baseline finds in more trials than ours, or in as many and sooner."""
    out, by_name = [], {c["name"]: c for c in facts["configs"]}
    for plant in facts["plants"]:
        ours = times(facts, by_name[OURS], plant["name"])
        for c in facts["configs"]:
            if c["name"] == OURS:
                continue
            theirs = times(facts, c, plant["name"])
            a, b = sum(s for _, s in ours), sum(s for _, s in theirs)
            mean_a = sum(t for t, _ in ours) / max(1, len(ours))
            mean_b = sum(t for t, _ in theirs) / max(1, len(theirs))
            if b / max(1, len(theirs)) > a / max(1, len(ours)) or (b and mean_b < mean_a - 1):
                out.append({"name": plant["name"], "to": c["name"], "ours": a, "theirs": b,
                            "ours_mean": mean_a, "theirs_mean": mean_b})
    return out


def summarise(facts):
    facts["summary"] = {c["name"]: of_config(facts, c) for c in facts["configs"]}
    everyone = {n for s in facts["summary"].values() for n in s["found"]}
    labelled = {n for s in facts["summary"].values() for n in s["labelled"]}
    names = [p["name"] for p in facts["plants"]]
    facts["nobody"] = [n for n in names if n not in everyone]
    facts["not_labelled"] = [n for n in names if n not in labelled]
    facts["comparisons"] = compare(facts)
    facts["losses"] = losses(facts)


# ---- the page ------------------------------------------------------------------------------------

def dot(name):
    return f'<span class="dot" style="background:{COLOURS.get(name, "var(--soft)")}"></span>'


def seconds(t):
    return "-" if t is None else f"{t:.1f} s" if t < 10 else f"{t:.0f} s"


def p_value(p):
    return "&lt; 0.0001" if p < .0001 else f"{p:.4f}"


def head(f):
    ours, n = f["summary"][OURS], len(f["plants"])
    title = f"{len(ours['found'])} of {n} plants"
    words = ("found by ours in all trials together; libFuzzer on raw octets "
             f"{len(f['summary']['libfuzzer']['found'])}, AFL++ {len(f['summary']['afl']['found'])}, "
             f"choices by chance {len(f['summary']['random']['found'])}.")
    if f["partial"]:
        words += " Stopped early: this is what there was until then."
    figures = [
        figure(one(f["trials"], "trial"), f"of {f['trial_seconds']:.0f} s for each configuration"),
        figure(str(n - len(f["nobody"])), "plants found by anyone"),
        figure(str(n - len(f["not_labelled"])), "of them by their own oracle"),
        figure(str(len({x['name'] for x in f['losses']})), "plants lost to another configuration"),
        figure(str(f["cores"]), "cores, one a trial"),
    ]
    load = " to ".join(f"{x:.1f}" for x in f["load"])
    commit = f["commit"]
    about = (f'{e(f["when"])} · load {load} · the trials had {100 * f["cpu_share"]:.0f}% of their cores')
    if commit:
        about += f' · commit <code>{e(commit["hash"][:12])}</code>' + \
            (", with uncommitted changes" if commit["changed"] else "")
    trouble = "".join(f"<li>{e(t)}</li>" for t in f["trouble"])
    trouble = f'<ul class="trouble">{trouble}</ul>' if trouble else ""
    kind = "interrupted" if f["partial"] else "trouble" if f["trouble"] else "clean"
    return (f'<header class="{kind}"><p class="name">sipws · {e(f["command"])}</p>'
            f'<h1>{e(title)}</h1><p class="words">{e(words)}</p>{trouble}'
            f'<div class="figures">{"".join(figures)}</div><p class="about">{about}</p></header>')


def spread(values):
    if not values:
        return "-"
    low, high = min(values), max(values)
    return f"{stats.median(values):g}" + (f" ({low} to {high})" if low != high else "")


def overview(f):
    rows = []
    for c in f["configs"]:
        s = f["summary"][c["name"]]
        rows.append(["", dot(c["name"]) + e(c["words"]), count(len(s["reached"])),
                     count(len(s["triggered"])), f"<b>{len(s['found'])}</b>", count(len(s["labelled"])),
                     spread(s["per_trial"]), seconds(s["restricted_mean"]), short(s["executions"]),
                     count(s["rate"])])
    return table([("configuration", "text"), ("reached", "number"), ("triggered", "number"),
                  ("found", "number"), ("by own oracle", "number"), ("found in a trial", "number"),
                  ("restricted mean time", "number"), ("executions", "number"),
                  ("a second", "number")], rows)


def survival(f):
    series, css = [], []
    for c in f["configs"]:
        steps = [(t, 100 * (1 - s)) for t, s in f["summary"][c["name"]]["survival"]]
        steps.append((f["trial_seconds"], steps[-1][1]))
        series.append((c["words"], f"km-{c['name']}", steps))
        colour = COLOURS.get(c["name"], "var(--soft)")
        css.append(f".curve.km-{c['name']} {{ stroke:{colour}; }} "
                   f".end.km-{c['name']} {{ fill:{colour}; }}")
    keys = "".join(f"<span>{dot(c['name'])}{e(c['words'])}</span>" for c in f["configs"])
    return (f"<style>{' '.join(css)}</style><div class=\"keys\">{keys}</div>"
            f'<div class="card">{plot.curves("plants found, percent", series, 720, 300)}</div>')


def comparisons(f):
    rows = []
    for c in f["comparisons"]:
        a, low, high = c["a12"]
        better = a > .5 if c["what"] == "plants found" else a < .5
        unit = "" if c["what"] == "plants found" else " s"
        rows.append(["" if better else "bad", dot(c["other"]) + e(c["other"]), e(c["what"]),
                     f"{c['ours']:.4g}{unit}", f"{c['theirs']:.4g}{unit}", f"{c['u']:g}",
                     p_value(c["p"]), p_value(c["holm"]), f"{a:.2f} ({low:.2f} to {high:.2f})"])
    return table([("ours against", "text"), ("of a trial", "text"), ("ours", "number"),
                  ("theirs", "number"), ("U", "number"), ("p", "number"), ("p, Holm", "number"),
                  ("A12, 95%", "number")], rows)


def depths(f):
    shades = ["var(--rest)"] + [f"color-mix(in srgb, var(--hit) {p}%, var(--card))"
                                for p in (30, 45, 60, 80, 100)]
    out = ['<div class="keys">' + "".join(
        f'<span><span class="dot" style="background:{shades[i]}"></span>{e(n)}</span>'
        for i, n in enumerate(DEPTH_NAMES)) + "</div>"]
    rows = []
    for c in f["configs"]:
        at, parts = 0.0, []
        for i, share in enumerate(f["summary"][c["name"]]["depths"]):
            parts.append(f'<rect x="{at:.2f}" width="{100 * share:.2f}" height="8" '
                         f'style="fill:{shades[i]}"/>')
            at += 100 * share
        cells = [f"{100 * x:.1f}%" for x in f["summary"][c["name"]]["depths"]]
        rows.append(["", dot(c["name"]) + e(c["name"]),
                     '<svg viewBox="0 0 100 8" width="220" height="14" preserveAspectRatio="none" '
                     f'aria-hidden="true">{"".join(parts)}</svg>', *cells])
    return out[0] + table([("configuration", "text"), ("executions that end there", "text"),
                           *((n, "number") for n in DEPTH_NAMES)], rows)


def plants(f):
    rows = []
    for p in f["plants"]:
        cells = []
        for c in f["configs"]:
            seen = [(t, s) for t, s in times(f, c, p["name"])]
            hits = sorted(t for t, s in seen if s)
            state = "not reached"
            if any(t["plants"].get(p["name"], {}).get("triggered") is not None for t in c["trials"]):
                state = "triggered"
            elif any(t["plants"].get(p["name"], {}).get("reached") is not None for t in c["trials"]):
                state = "reached"
            cells.append(f"{len(hits)}/{len(seen)} · {seconds(stats.median(hits))}" if hits
                         else f'<span class="found">{state}</span>')
        missed = p["name"] in f["nobody"]
        rows.append(["bad" if missed else "", f"<code>{e(p['name'])}</code>", e(p["class"]), *cells,
                     f"<code>{e(p['oracle'])}</code>", e(p["text"])])
    return table([("plant", "text"), ("class", "text"),
                  *((c["name"], "text") for c in f["configs"]), ("its oracle", "text"),
                  ("what it breaks", "text")], rows)


def lost(f):
    if not f["losses"]:
        return "<p>None.</p>"
    n = {c["name"]: len(c["trials"]) for c in f["configs"]}
    rows = [["bad", f"<code>{e(x['name'])}</code>", dot(x["to"]) + e(x["to"]),
             f"{x['ours']}/{n[OURS]} · {seconds(x['ours_mean'])}",
             f"{x['theirs']}/{n[x['to']]} · {seconds(x['theirs_mean'])}"] for x in f["losses"]]
    return table([("plant", "text"), ("lost to", "text"), ("ours: trials, mean", "text"),
                  ("theirs", "text")], rows)


def missed(f):
    def names(items):
        return ", ".join(f"<code>{e(n)}</code>" for n in items) or "none"
    return (f'<p>Found by nobody ({len(f["nobody"])}): {names(f["nobody"])}.</p>'
            f'<p>Not found by their own oracle ({len(f["not_labelled"])}): '
            f'{names(f["not_labelled"])}.</p>')


def how(f):
    versions = "".join(f"<li>{e(k)}: {e(v)}</li>" for k, v in f["versions"].items())
    return (
        "<p>All programs are built with the canaries of <code>fuzz/canary.c</code>, AddressSanitizer and "
        "UndefinedBehaviorSanitizer. In such a build no plant breaks anything, so each trial watches all "
        "of them: a plant is <i>reached</i> when its place is executed, <i>triggered</i> when the bug "
        "would have made a difference there, and <i>found</i> when an input of that trial makes the "
        "property or target that it was made for fail in a build in which the plant is on. Inputs are "
        "kept at the 1st, 2nd, 3rd, 4th, 6th, 8th, 12th, … time that they trigger a plant, so a plant "
        "may be found a little later here than it would be.</p>"
        "<p>Each trial has one core to itself, and divides its time over its targets, each trial in "
        "another order; configurations take turns. Seeds are those of the repository, for all "
        "alike; none was made from a plant. A time is from the start of the trial, start of the engine "
        "included. A plant that was not found by the end of a trial is censored there.</p>"
        f"<ul>{versions}</ul>")


def html(f):
    parts = [
        ("overview", "Configurations", "Over all trials. The restricted mean time counts a plant that "
         "was not found as found at the end.", overview(f)),
        ("survival", "Plants found over time", "Kaplan and Meier, all plants and trials pooled.",
         survival(f)),
        ("comparisons", "Comparisons", "Mann and Whitney's U over trials, p by counting every way to "
         "divide them, adjusted by Holm over all rows. A12 is how likely a trial of ours has the higher "
         "value; red where ours is not ahead.", comparisons(f)),
        ("losses", "Losses", "Plants that another configuration found in more trials, or more than a "
         "second sooner on average.", lost(f)),
        ("missed", "Not found", "", missed(f)),
        ("depths", "Depth", "The deepest that an execution got: a handshake that is sound, a whole "
         "WebSocket message, a SIP message that has the lines of one, one without errors, and three of "
         "these.", depths(f)),
        ("plants", "Plants", "Trials in which each was found, and the median time of these.", plants(f)),
        ("how", "How it was measured", "", how(f)),
    ]
    body = head(f) + "<nav>" + "".join(f'<a href="#{i}">{e(t)}</a>' for i, t, _, _ in parts) + "</nav>"
    return document(f"Plants found · sipws", body + "".join(section(*p) for p in parts))
