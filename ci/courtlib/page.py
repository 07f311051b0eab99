"""One file of HTML: the template, the styles and the script as they lie here, and the facts as JSON.

Whatever a peer or a witness says is only ever text: in the JSON every "<" is escaped, the script
makes text nodes of it, and the page's own policy forbids any script or style but these two, and any
request."""

import base64
import hashlib
import json
from html import escape
from pathlib import Path

from fuzzlib.report import STYLE

HERE = Path(__file__).resolve().parent


def part(name):
    return (HERE / name).read_text(encoding="utf-8")


def embedded(facts):
    text = json.dumps(facts, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def html(facts):
    style, script = STYLE + part("court.css"), part("court.js")
    policy = f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}"
    page = part("court.html")
    for name, value in (("POLICY", escape(policy)), ("STYLE", style), ("WHEN", escape(facts["when"])),
                        ("SCRIPT", script), ("FACTS", embedded(facts))):
        before, found, after = page.partition("{{" + name + "}}")
        if not found:
            raise ValueError(f"court.html has no {name}")
        page = before + value + after
    return page


def write(path, facts):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(path.suffix + ".new")
    new.write_text(html(facts), encoding="utf-8")
    new.replace(path)  # never half a page
