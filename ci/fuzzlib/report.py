"""build/report/index.html and report.json, both from the same facts.

The page needs nothing but itself: no network, no other file, and without JavaScript it only loses
the copy buttons.
"""

import json
from html import escape

from . import plot
from .coverage import percent
from .engines import ENGINES
from .screen import count, short

VERDICTS = {
    "clean": ("Clean", "Nothing was found."),
    "findings": ("Findings", ""),
    "trouble": ("Trouble", "Something did not run as it should; what did run is below."),
    "interrupted": ("Stopped early", "What ran until then is below."),
}


def write(layout, facts):
    """Both files. Returns the page's path."""
    layout.report.mkdir(parents=True, exist_ok=True)
    page = layout.report / "index.html"
    put(layout.report / "report.json", as_json(facts))
    put(page, html(facts))
    return page


def as_json(facts):
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def put(path, content):
    """Never half a report."""
    new = path.with_suffix(path.suffix + ".new")
    new.write_text(content, encoding="utf-8")
    new.replace(path)


# ---- small parts ---------------------------------------------------------------------------------

def e(value):
    return escape(str(value))


def one(n, word, many=None):
    return f"{count(n)} {word if n == 1 else many or word + 's'}"


def table(columns, rows, css=""):
    """columns: [(title, "text" or "number")]; cells are HTML."""
    head = "".join(f'<th class="{kind}" scope="col">{e(title)}</th>' for title, kind in columns)
    body = "".join(
        f'<tr class="{r[0]}">' + "".join(
            f'<td class="{columns[i][1]}">{c}</td>' for i, c in enumerate(r[1:])) + "</tr>"
        for r in rows)
    return (f'<div class="wide"><table class="{css}"><thead><tr>{head}</tr></thead>'
            f'<tbody>{body}</tbody></table></div>')


def command(text):
    return (f'<div class="command"><code>{e(text)}</code>'
            '<button type="button" class="copy">copy</button></div>')


def section(ident, title, lead, body):
    lead = f'<p class="lead">{lead}</p>' if lead else ""
    return f'<section id="{ident}"><h2>{e(title)}</h2>{lead}{body}</section>'


def figure(value, words):
    return f'<div class="figure"><b>{e(value)}</b><span>{e(words)}</span></div>'


# ---- the parts of the page -----------------------------------------------------------------------

def head(f):
    name, words = VERDICTS[f["verdict"]]
    n = len(f["findings"])
    if f["verdict"] == "findings":
        name, words = one(n, "finding"), "Each is below with its story and the command that replays it."
    ran = [r for r in f["rows"] if r["executions"]]
    targets, engines = {r["target"] for r in ran}, {r["engine"] for r in ran}
    total = sum(r["executions"] for r in f["rows"])
    cov = f.get("coverage") or {}
    lines = percent(*cov["lines"]) if cov.get("files") else None
    held = [p for p in f["properties"] if p["state"] == "ok"]
    judged = [p for p in f["properties"] if p["state"] != "not run"]
    figures = [
        figure(short(total), "executions"),
        figure(f"{len(targets)} × {len(engines)}", "targets × engines"),
        figure(f"{len(held)} / {len(judged)}", "properties hold"),
        figure("-" if lines is None else f"{lines:.1f}%", "of ref's lines reached"),
        figure(short(sum(m["after"] or m["before"] or 0 for m in f["corpus"])), "inputs kept"),
        figure(f"{f['took']:.0f} s", f"on {one(f['cores'], 'core')}"),
    ]
    commit = f.get("commit")
    about = e(f["when"])
    if commit:
        changed = ", with uncommitted changes" if commit["changed"] else ""
        about += f' · commit <code>{e(commit["hash"][:12])}</code> {e(commit["subject"])}{changed}'
    trouble = "".join(f"<li>{e(t)}</li>" for t in f["trouble"])
    trouble = f'<ul class="trouble">{trouble}</ul>' if trouble else ""
    return (f'<header class="{f["verdict"]}"><p class="name">sipws · ci/fuzz {f["seconds"]:g}</p>'
            f"<h1>{e(name)}</h1><p class=\"words\">{e(words)}</p>{trouble}"
            f'<div class="figures">{"".join(figures)}</div><p class="about">{about}</p></header>')


def navigation(parts):
    links = "".join(f'<a href="#{i}">{e(t)}</a>' for i, t in parts)
    return f"<nav>{links}</nav>"


def findings(f):
    out = []
    for x in f["findings"]:
        size = one(x["size"], "octet")
        if x["was"] > x["size"]:
            size += f", made small from {count(x['was'])}"
        by = ", ".join(ENGINES[n][1] if n in ENGINES else n for n in x["engines"])
        times = f", {count(x['count'])} times" if x["count"] > 1 else ""
        body = f'<p class="about">{e(x["target"])} · {size} · found by {e(by)}{times}</p>'
        body += command(x["command"])
        if x["path"]:
            body += f'<p class="about">kept in <code>{e(x["path"])}</code></p>'
        if x["story"]:
            body += f"<pre>{e(x['story'])}</pre>"
        if x["report"]:
            body += ("<details><summary>what the sanitizer said</summary>"
                     f"<pre>{e(x['report'])}</pre></details>")
        out.append(f'<article class="finding"><h3>{e(x["title"])}</h3>{body}</article>')
    return "".join(out)


STATES = {"done": "", "failed": "failed", "left out": "left out", "waits": "not run",
          "runs": "cut off"}


def depth(counts):
    """What share of the executions got past each layer of the target."""
    total = counts.get("executions", 0)
    shares = (f"{e(layer)}&nbsp;{100 * n / total:.2g}%" for layer, n in counts.items()
              if total and layer != "executions")
    return ", ".join(shares)


def runs(f):
    columns = [("Target", "text"), ("Engine", "text"), ("Executions", "number"),
               ("Per second", "number"), ("Edges", "number"), ("Corpus", "number"),
               ("Stability", "number"), ("Findings", "number"), ("Seconds", "number"),
               ("Past each layer", "text"), ("", "text")]
    rows, last = [], None
    for r in f["rows"]:
        first = r["target"] != last
        last = r["target"]
        ran = r["executions"] > 0
        css = ("first " if first else "") + ("bad" if r["state"] == "failed"
                                             else "" if ran else "quiet")
        found = count(r["findings"]) if ran or r["findings"] else ""
        if r["findings"]:
            found = f'<b class="found">{found}</b>'
        rows.append((
            css.strip(), f"<b>{e(r['target'])}</b>" if first else "",
            f'<i class="dot {e(r["engine"])}"></i>{e(r["words"])}',
            count(r["executions"]) if ran else "", count(r["rate"]) if ran else "",
            count(r["edges"]) if ran else "", count(r["corpus"]) if ran else "",
            f"{r['stability']:.0f}%" if r["stability"] is not None else "",
            found, f"{r['seconds']:.1f}" if ran else "", depth(r["depth"]), e(STATES.get(r["state"], r["state"]))))
    return table(columns, rows, "runs")


def growth(f):
    cards = []
    for target in sorted({r["target"] for r in f["rows"] if r["points"]}):
        mine = [r for r in f["rows"] if r["target"] == target and r["points"]]

        def series(i):
            return [(r["words"], r["engine"], [(p[0], p[i]) for p in r["points"]]) for r in mine]

        cards.append(f'<div class="card"><h3>{e(target)}</h3>'
                     + plot.curves("edges", series(2)) + plot.curves("corpus", series(3))
                     + plot.curves("executions", series(1), stepped=False) + "</div>")
    keys = "".join(f'<span><i class="dot {n}"></i>{e(w[1])}</span>' for n, w in ENGINES.items())
    return f'<p class="keys">{keys}</p><div class="cards">{"".join(cards)}</div>'


def coverage(f):
    c = f.get("coverage") or {}
    if not c.get("files"):
        return f'<p class="lead">{e(c.get("trouble") or "was not measured")}</p>'

    def cell(hit, of):
        p = percent(hit, of)
        if p is None:
            return ""
        return f'{plot.bar(p)}<span class="pc">{p:.1f}%</span><span class="of">{hit}/{of}</span>'

    def row(css, name, x):
        return (css, name, cell(*x["lines"]), cell(*x["branches"]), cell(*x["functions"]))

    rows = [row("total", "all of ref", c)] + [row("", e(x["path"]), x) for x in c["files"]]
    rows += [("quiet", e(p), "no target takes it in", "", "") for p in c["not_linked"]]
    more = ""
    if c.get("html"):
        more = '<p><a href="coverage/index.html">Line by line, as llvm-cov shows it</a></p>'
    if c.get("trouble"):
        more += f'<p class="lead">{e(c["trouble"])}</p>'
    columns = [("File", "text"), ("Lines", "share"), ("Branches", "share"), ("Functions", "share")]
    return table(columns, rows, "coverage") + more


def properties(f):
    out = []
    for p in f["properties"]:
        classes = "".join(
            f'<tr><td class="text">{e(c["label"])}</td><td class="share">{plot.bar(c["percent"])}'
            f'<span class="pc">{c["percent"]:.1f}%</span></td></tr>' for c in p["classes"])
        classes = f'<table class="classes">{classes}</table>' if classes else ""
        css = {"ok": "ok", "FAIL": "bad", "SICK": "bad"}.get(p["state"], "quiet")
        word = {"ok": "holds", "FAIL": "fails", "SICK": "not healthy"}.get(p["state"], "not run")
        about = ""
        if p["cases"]:
            about = f'{one(p["cases"], "case")} · {p["discarded"]:.1f}% discarded'
        out.append(f'<article class="property {css}"><h3><code>{e(p["name"])}</code>'
                   f'<span class="state">{word}</span></h3><p>{e(p["sentence"])}</p>'
                   f'<p class="about">{about}</p>{classes}</article>')
    return f'<div class="cards">{"".join(out)}</div>'


def differential(f):
    d = f["differential"]
    court = ""
    if f["court"]:
        court = '<p><a href="court.html">The court: all stacks, and who is right</a></p>'
    if d["trouble"]:
        return f'<p class="lead">{e(d["trouble"])}</p>{court}'
    out = court + (f'<p class="lead">{one(d["files"], "seed")}: all stacks agree on {count(d["agreed"])}, '
           f'disagree on {count(len(d["disagreements"]))}. A disagreement is not yet a bug: the '
           "grid says who reads what.</p>")
    for x in d["disagreements"][:50]:
        out += (f"<details><summary>{e(x['file'])}</summary>{command(d['program'] + ' ' + x['file'])}"
                f"<pre>{e(x['text'])}</pre></details>")
    return out


def not_run(f):
    return "<dl>" + "".join(f"<dt>{e(x['what'])}</dt><dd>{e(x['why'])}</dd>"
                            for x in f["not_run"]) + "</dl>"


def machine(f):
    facts = [("Run", f"ci/fuzz {f['seconds']:g}, seed {f['seed']}, "
                     f"{one(f['cores'], 'core')}, {f['took']:.1f} s without building")]
    facts += [(k.capitalize(), v) for k, v in f["machine"].items() if v]
    facts += list(f["versions"].items())
    out = "<dl>" + "".join(f"<dt>{e(k)}</dt><dd>{e(v)}</dd>" for k, v in facts) + "</dl>"
    phases = [("bad" if p["trouble"] else "", e(p["what"]), f"{p['seconds']:.1f}", e(p["trouble"]))
              for p in f["phases"]]
    out += table([("Step", "text"), ("Seconds", "number"), ("", "text")], phases)
    merged = [("", e(m["target"]), count(m["seeds"]),
               count(m["before"]) if m["before"] is not None else "",
               count(m["after"]) if m["after"] is not None else "as it was",
               count(m["saved"]) if m["saved"] is not None else "") for m in f["corpus"]]
    if merged:
        out += "<h3>Working corpora</h3>" + table(
            [("Target", "text"), ("Seeds", "number"), ("Gathered", "number"),
             ("After merging", "number"), ("Saved", "number")], merged)
    return out


# ---- the page ------------------------------------------------------------------------------------

def html(f):
    parts = []
    if f["findings"]:
        parts.append(("findings", "Findings", "", findings(f)))
    parts.append(("runs", "What ran", "Executions a second are counted from the start of the "
                  "process to its end, over all workers. Edges of different engines are counted "
                  "differently: compare them over time, not side by side. Layers are the target's own, in "
                  "percent of the executions; fuzz/floors has what they must reach at least.", runs(f)))
    if any(r["points"] for r in f["rows"]):
        parts.append(("growth", "Growth", "Over the seconds of each run. The working corpus is kept "
                      "between runs and shared, so a curve that starts high has nothing left to "
                      "learn quickly.", growth(f)))
    inputs = (f.get("coverage") or {}).get("inputs", 0)
    parts.append(("coverage", "Coverage", f"What {one(inputs, 'input')} reach: seeds, regressions and "
                  "working corpora, replayed in a build with clang's source coverage.", coverage(f)))
    if f["properties"]:
        parts.append(("properties", "Properties", "Statements that hold for every tape, and how "
                      "often each class of cases came up.", properties(f)))
    if f["differential"]:
        parts.append(("differential", "Differential", "", differential(f)))
    if f["not_run"]:
        parts.append(("not-run", "What was not run, and why", "", not_run(f)))
    parts.append(("machine", "Machine and steps", "", machine(f)))
    body = head(f) + navigation([(i, t) for i, t, _, _ in parts])
    body += "".join(section(*p) for p in parts)
    return document(f"{VERDICTS[f['verdict']][0]} · sipws fuzz report", body)


def document(title, body):
    """A page that needs nothing but itself."""
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{e(title)}</title><style>{STYLE}</style></head>\n"
            f"<body><main>{body}</main><script>{SCRIPT}</script></body></html>\n")


SCRIPT = """
for (const b of document.querySelectorAll('.copy')) b.addEventListener('click', async () => {
  const text = b.previousElementSibling.textContent;
  try { await navigator.clipboard.writeText(text); }
  catch (e) {
    const r = document.createRange(); r.selectNodeContents(b.previousElementSibling);
    const s = getSelection(); s.removeAllRanges(); s.addRange(r); document.execCommand('copy');
  }
  b.textContent = 'copied'; setTimeout(() => b.textContent = 'copy', 1200);
});
"""

STYLE = """
:root { --page:#fbfaf7; --card:#fff; --ink:#1d1f23; --soft:#62666e; --line:#e4e1da; --code:#f3f1ec;
  --good:#1c7a4a; --bad:#b3261e; --warn:#8a5a00; --hit:#2f6fb7; --rest:#e6e3dc;
  --libfuzzer:#2563b8; --afl:#c2610c; --msan:#7b46b5; }
@media (prefers-color-scheme: dark) { :root { --page:#14161a; --card:#1b1e23; --ink:#e8e6e1;
  --soft:#9aa0aa; --line:#2d3138; --code:#22262c; --good:#5cc98d; --bad:#ff8a80; --warn:#e6b450;
  --hit:#5b9be0; --rest:#2d3138; --libfuzzer:#74aaf5; --afl:#f0a45a; --msan:#bd96ee; } }
* { box-sizing:border-box; }
html { -webkit-text-size-adjust:100%; scroll-behavior:smooth; }
body { margin:0; background:var(--page); color:var(--ink);
  font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif; }
main { max-width:1120px; margin:0 auto; padding:0 20px 64px; }
header { padding:40px 0 8px; }
header .name { margin:0; color:var(--soft); font-size:14px; letter-spacing:.02em; }
h1 { margin:4px 0 0; font-size:clamp(34px,7vw,54px); line-height:1.1; letter-spacing:-.02em;
  font-weight:680; }
.clean h1 { color:var(--good); } .findings h1, header.trouble h1 { color:var(--bad); }
.interrupted h1 { color:var(--warn); }
.words { margin:6px 0 0; font-size:18px; color:var(--soft); }
ul.trouble { margin:14px 0 0; padding:12px 16px 12px 32px; border-left:3px solid var(--bad);
  background:var(--card); overflow-wrap:anywhere; white-space:pre-line; }
.figures { display:grid; grid-template-columns:repeat(auto-fit,minmax(136px,1fr)); gap:1px;
  margin:26px 0 14px; background:var(--line); border:1px solid var(--line); border-radius:10px;
  overflow:hidden; }
.figure { background:var(--card); padding:14px 16px; }
.figure b { display:block; font-size:26px; line-height:1.2; font-weight:640;
  font-variant-numeric:tabular-nums; letter-spacing:-.01em; }
.figure span { color:var(--soft); font-size:13px; }
.about { margin:6px 0; color:var(--soft); font-size:14px; overflow-wrap:anywhere; }
nav { position:sticky; top:0; z-index:2; display:flex; gap:20px; overflow-x:auto;
  margin:14px -20px 0; padding:11px 20px; background:var(--page);
  border-bottom:1px solid var(--line); font-size:14px; white-space:nowrap; }
a { color:inherit; text-decoration:underline; text-decoration-color:var(--line);
  text-underline-offset:3px; } a:hover { text-decoration-color:currentColor; }
nav a { color:var(--soft); text-decoration:none; } nav a:hover { color:var(--ink); }
section { padding-top:38px; scroll-margin-top:24px; }
h2 { margin:0 0 4px; font-size:23px; letter-spacing:-.01em; }
h3 { margin:0 0 6px; font-size:16px; overflow-wrap:anywhere; }
.lead { margin:0 0 14px; max-width:72ch; color:var(--soft); font-size:15px; }
code, pre { font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace; }
pre { margin:12px 0 0; padding:14px 16px; overflow-x:auto; background:var(--code);
  border-radius:8px; tab-size:4; max-height:560px; }
details { margin-top:10px; } summary { cursor:pointer; color:var(--soft); font-size:14px; }
.command { display:flex; align-items:stretch; margin:10px 0; border:1px solid var(--line);
  border-radius:8px; overflow:hidden; background:var(--code); }
.command code { flex:1; padding:9px 12px; overflow-x:auto; white-space:nowrap; }
.command button { border:0; border-left:1px solid var(--line); padding:0 14px; min-width:76px;
  background:var(--card); color:var(--ink); font:inherit; font-size:13px; cursor:pointer; }
.command button:hover { background:var(--code); }
.finding, .card, .property { background:var(--card); border:1px solid var(--line);
  border-radius:10px; padding:16px 18px; min-width:0; }
.finding { border-left:3px solid var(--bad); margin-top:14px; }
.wide { overflow-x:auto; border:1px solid var(--line); border-radius:10px; background:var(--card);
  margin-top:12px; }
table { border-collapse:collapse; width:100%; font-size:14px; }
th, td { padding:7px 14px; text-align:left; white-space:nowrap; }
th { color:var(--soft); font-weight:500; font-size:13px; border-bottom:1px solid var(--line); }
.number { text-align:right; font-variant-numeric:tabular-nums; }
.runs tr.first td { border-top:1px solid var(--line); }
.runs tbody tr.first:first-child td { border-top:0; }
.found, tr.bad td { color:var(--bad); } tr.quiet td { color:var(--soft); } tr.total td { font-weight:600; }
.dot { display:inline-block; width:9px; height:9px; border-radius:50%; margin-right:8px;
  background:var(--soft); }
.dot.libfuzzer { background:var(--libfuzzer); } .dot.afl { background:var(--afl); }
.dot.msan { background:var(--msan); }
.keys { display:flex; flex-wrap:wrap; gap:4px 20px; margin:0 0 12px; font-size:14px;
  color:var(--soft); }
.cards { display:grid; grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));
  gap:14px; }
.plot { display:block; width:100%; height:auto; margin-top:8px; overflow:visible; }
.plot text { fill:var(--soft); font:10px system-ui,sans-serif; font-variant-numeric:tabular-nums; }
.plot .plot-title { font-size:11px; fill:var(--ink); }
.plot .grid { stroke:var(--line); stroke-width:1; }
.plot .curve { fill:none; stroke-width:1.75; stroke-linejoin:round; }
.curve.libfuzzer { stroke:var(--libfuzzer); } .curve.afl { stroke:var(--afl); }
.curve.msan { stroke:var(--msan); }
.end.libfuzzer { fill:var(--libfuzzer); } .end.afl { fill:var(--afl); } .end.msan { fill:var(--msan); }
.bar { display:inline-block; width:90px; height:8px; vertical-align:middle; }
.bar-all { fill:var(--rest); } .bar-hit { fill:var(--hit); }
.pc { display:inline-block; width:62px; text-align:right; font-variant-numeric:tabular-nums; }
.of { display:inline-block; min-width:86px; padding-left:10px; color:var(--soft); font-size:12px;
  font-weight:400; font-variant-numeric:tabular-nums; }
.property h3 { display:flex; justify-content:space-between; gap:12px; align-items:baseline; }
.property p { margin:4px 0; font-size:15px; }
.property .about { font-size:13px; }
.state { font-size:13px; font-weight:500; white-space:nowrap; }
.ok .state { color:var(--good); } .bad .state { color:var(--bad); }
.quiet .state { color:var(--soft); }
.classes { margin-top:6px; } .classes td { padding:2px 0; font-size:13px; white-space:normal; }
.classes td.share { text-align:right; white-space:nowrap; }
.classes .bar { width:70px; }
dl { display:grid; grid-template-columns:minmax(90px,max-content) 1fr; gap:5px 20px; margin:0;
  font-size:15px; } dt { color:var(--soft); } dd { margin:0; overflow-wrap:anywhere; }
#machine h3 { margin-top:26px; }
@media (max-width:560px) { main { padding:0 16px 48px; } nav { margin:12px -16px 0; padding:11px 16px; }
  header { padding-top:26px; } .figure b { font-size:22px; }
  dl { grid-template-columns:1fr; gap:0; } dd { margin-bottom:8px; } th, td { padding:6px 10px; }
  td:first-child, th:first-child { position:sticky; left:0; background:var(--card); }
  .classes td:first-child { position:static; } }
@media print { nav, .copy { display:none; } .card, .finding, .property { break-inside:avoid; } }
"""
