"""The report: JSON for machines, a table for the terminal, a page with a plot for people."""

import json
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #d5dae2; --ours: #0b7285;
        --peer: #8a94a6; --bad: #c92a2a; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #3a4250;
        --ours: #3bc9db; --peer: #8a94a6; --bad: #ff8787; --paper: #151a21; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .6rem;
       border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.soft { color: var(--soft); } .bad { color: var(--bad); font-weight: 600; }
svg text { fill: var(--ink); font-size: 12px; } svg .ours { fill: var(--ours); }
svg .peer { fill: var(--peer); } svg .grid { stroke: var(--line); }
"""


def nice(ns):
    return f"{ns:,.0f} ns" if ns < 10000 else f"{ns / 1000:,.1f} us"


def plot(title, rows):
    """Bars on a logarithmic scale. rows: [(name, nanoseconds, whether it is ours)]."""
    import math
    low = 10 ** math.floor(math.log10(min(r[1] for r in rows)))
    high = 10 ** math.ceil(math.log10(max(r[1] for r in rows) * 1.01))
    left, width, step = 150, 900, 26
    span = math.log10(high / low)

    def x(v):
        return left + (width - left - 90) * math.log10(v / low) / span

    height = step * len(rows) + 40
    out = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
           f'<text x="0" y="14">{escape(title)}</text>']
    v = low
    while v <= high:
        out.append(f'<line class="grid" x1="{x(v):.1f}" x2="{x(v):.1f}" y1="22" y2="{height - 16}"/>'
                   f'<text x="{x(v):.1f}" y="{height - 2}" text-anchor="middle">{nice(v)}</text>')
        v *= 10
    for i, (name, ns, ours) in enumerate(rows):
        y = 26 + i * step
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
                   f'<rect class="{"ours" if ours else "peer"}" x="{left}" y="{y}" '
                   f'width="{max(1, x(ns) - left):.1f}" height="{step - 8}" rx="2"/>'
                   f'<text x="{x(ns) + 6:.1f}" y="{y + 14}">{nice(ns)}</text>')
    return "".join(out) + "</svg>"


def text(result):
    """The table for the terminal."""
    out = []
    for name, run in result["sets"].items():
        out.append(f"\n{name}")
        out.append(f"  {'':14} {'CPU time':>12} {'to check':>10} {'to index':>10}  refused")
        check, index = (run["subjects"].get(t, {}).get("ns") for t in ("check", "index"))
        for s, row in sorted(run["subjects"].items(), key=lambda i: i[1]["ns"]):
            cells = [f"{row['ns'] / t:9.2f}x" if t else f"{'':>10}" for t in (check, index)]
            refused = f"{row['refused']} of {row['inputs']}" if row["refused"] else ""
            out.append(f"  {s:14} {nice(row['ns']):>12} {' '.join(cells)}  {refused}".rstrip())
    if result["costs"]:
        out.append(f"\nInstructions for each octet of the header, check tier; typical: "
                   f"{result['typical']['check']['per_octet']:.1f}")
        for c in result["costs"]:
            out.append(f"  {c['name']:48} {c['per_octet']:8.2f} {c['ratio']:6.2f}x"
                       f"{'' if c['accepted'] else '  refused'}")
        out.append("\nInstructions for each octet as one shape grows")
        for c in result["scaling"]:
            out.append(f"  {c['octets']:>8,} octets {c['per_octet']:8.2f} {c['ratio']:6.2f}x")
    out.append("\nBars")
    for b in result["bars"]:
        word = {True: "holds", False: "LOST", None: "?"}[b["holds"]]
        out.append(f"  {word:6} {b['bar']}: {b['found']}")
    if result["not_measured"]:
        out.append("\nNot measured")
        out += [f"  {n}" for n in result["not_measured"]]
    return "\n".join(out)


def row(cells, tag="td"):
    made = []
    for i, c in enumerate(cells):
        number = i > 0 and str(c)[:1].isdigit()
        made.append(f'<{tag} class="n">{c}</{tag}>' if number or (tag == "th" and i in (1, 2, 3))
                    else f"<{tag}>{c}</{tag}>")
    return "<tr>" + "".join(made) + "</tr>"


def page(result):
    out = ["<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
           "content='width=device-width'><title>sipws: speed</title>",
           f"<style>{STYLE}</style><h1>sipws: speed</h1>",
           f"<p class=soft>{escape(result['machine'])}; {escape(result['compiler'])}. CPU time, medians "
           "of paired runs: in each round every subject reads the same octets in turn.</p>",
           "<h2>Bars</h2><table>", row(["bar", "", "found"], "th")]
    for b in result["bars"]:
        word = {True: "holds", False: "<span class=bad>lost</span>", None: "not measured"}[b["holds"]]
        out.append(f"<tr><td>{escape(b['bar'])}</td><td>{word}</td><td>{escape(b['found'])}</td></tr>")
    out.append("</table>")
    for name, run in result["sets"].items():
        rows = sorted(((s, r["ns"], s in result["ours"]) for s, r in run["subjects"].items()),
                      key=lambda r: r[1])
        out.append(f"<h2>{escape(name)}</h2>{plot('CPU time for each, logarithmic', rows)}<table>")
        out.append(row(["", "median", "from", "to", "what a figure includes"], "th"))
        for s, ns, _ in rows:
            q = run["subjects"][s]["quartiles"]
            about = result["subjects"].get(s, {})
            refused = run["subjects"][s]["refused"]
            note = escape(about.get("includes", "")) + (
                f" <span class=bad>refused {refused} of {run['subjects'][s]['inputs']}</span>" if refused else "")
            out.append(f"<tr><td>{escape(s)} {escape(about.get('version', ''))}</td>"
                       f"<td class=n>{nice(ns)}</td><td class=n>{nice(q[0])}</td>"
                       f"<td class=n>{nice(q[2])}</td><td>{note}</td></tr>")
        out.append("</table>")
    if result["costs"]:
        out.append(f"<h2>Inputs made to cost much</h2><p>Instructions of the check tier for each octet of the header, "
                   f"by callgrind. Typical: {result['typical']['check']['per_octet']:.1f}.</p><table>")
        out.append(row(["input", "octets", "for each", "to typical", ""], "th"))
        for c in result["costs"]:
            out.append(f"<tr><td>{escape(c['name'])}</td><td class=n>{c['octets']:,}</td>"
                       f"<td class=n>{c['per_octet']:.2f}</td><td class=n>{c['ratio']:.2f}</td>"
                       f"<td>{'' if c['accepted'] else 'refused'}</td></tr>")
        out.append("</table><h2>As one shape grows</h2><table>")
        out.append(row(["octets", "for each", "to the smallest"], "th"))
        for c in result["scaling"]:
            out.append(f"<tr><td>{c['octets']:,}</td><td class=n>{c['per_octet']:.2f}</td>"
                       f"<td class=n>{c['ratio']:.2f}</td></tr>")
        out.append("</table>")
    if result["not_measured"]:
        out.append("<h2>Not measured</h2><ul>" + "".join(
            f"<li>{escape(n)}</li>" for n in result["not_measured"]) + "</ul>")
    return "\n".join(out) + "\n"


def write(result, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / "bench.html").write_text(page(result), encoding="utf-8")
