/* The page of ci/court. All that a peer or a witness says gets in by text nodes only. */

const facts = JSON.parse(document.getElementById('facts').textContent);
const $ = id => document.getElementById(id);

/* An element: h('td', {class: 'number'}, child, 'text'). */
function h(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {}))
    if (typeof value === 'function') e.addEventListener(key, value);
    else if (value === true) e.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(key, value);
  for (const c of children.flat(Infinity)) if (c !== null && c !== undefined && c !== '') e.append(c);
  return e;
}
const plural = (n, word) => `${n.toLocaleString('en')} ${n === 1 ? word : word + 's'}`;

/* ---- words ------------------------------------------------------------------------------------ */

/* A cell's letter (ci/courtlib/facts.py): glyph, class, words; whether it counts against the peer. */
const VERDICTS = {
  'D': ['≠', 'differs', 'reads it otherwise'],
  'T': ['+', 'takes', 'takes what ref refuses'],
  'R': ['⊘', 'refuses', 'refuses what ref takes'],
  'S': ['a', 'split', 'takes it: same letter, same reading'],
  'C': ['✕', 'crash', 'crashes'],
  'H': ['∞', 'hang', 'hangs'],
  '=': ['=', 'agrees', 'reads as ref does'],
  'r': ['⊘', 'refuses-too', 'refuses as ref does'],
  'd': ['~', 'other', 'differs in another line'],
  'q': ['~', 'other', 'refuses it, another line'],
  '.': ['·', 'none', 'no opinion'],
  '-': ['–', 'absent', 'absent'],
};
const COUNTS = 'DTRCHS';
const MATTERS = ['smuggling', 'identity', 'denial', 'interop', 'open'];
const RIGHT = {ref: 'ref', peer: 'the peer', both: 'both', disputed: 'disputed', open: 'not judged'};
const SPEAKS = {sip: 'SIP', ws: 'frames', http: 'handshakes'};
const STATUS = ['new', 'draft', 'reviewed'];

function verdict(letter, group) {
  const [glyph, css] = VERDICTS[letter];
  const split = letter === 'S';
  return h('span', {class: `v v-${css}${split ? ` g${Math.min(group, 3)}` : ''}`, 'aria-hidden': 'true'},
           split ? String.fromCharCode(97 + Math.min(group, 25)) : glyph);
}
function words(letter, group) {
  return letter === 'S' ? `takes it, reading ${String.fromCharCode(97 + Math.min(group, 25))}` : VERDICTS[letter][2];
}
const matters = word => h('span', {class: `m m-${word}`}, word === 'open' ? 'not judged' : word);

/* With a capital, but for the name of a stack. */
const names = new Set(Object.values(facts.peers).flat().map(p => p.name));
const sentence = text => !text ? '' : names.has(text.split(/[ ,:]/)[0]) ? text : text[0].toUpperCase() + text.slice(1);

/* Section 7.3.1 of RFC 3261, of "3261 7.3.1". */
function section(rfc) {
  const [number, where] = rfc.split(' ');
  return where ? `RFC ${number}, section ${where}` : `RFC ${number}`;
}

/* ---- the filter ------------------------------------------------------------------------------- */

const peersOf = {sip: facts.peers.sip, ws: facts.peers.ws, http: facts.peers.http};
/* How many stand against the largest camp: the more, the more chains of two stacks are at odds. */
function evenness(c) {
  const camps = {};
  [...c.cells].forEach((letter, i) => {
    const camp = letter === 'S' ? `S${c.groups[i]}` : letter;
    if (!'.-'.includes(letter) && peersOf[c.speaks][i].name !== 'ref') camps[camp] = (camps[camp] || 0) + 1;
  });
  const sizes = Object.values(camps);
  return sizes.reduce((a, b) => a + b, 0) - Math.max(0, ...sizes);
}
facts.clusters.forEach((c, i) => {
  const rule = c.rule === null ? {} : facts.rules[c.rule];
  const who = peersOf[c.speaks].filter((_, p) => COUNTS.includes(c.cells[p])).map(p => p.name);
  c.index = i;
  c.words = [c.id, c.field, c.kind, c.layer, c.what, c.quirk, c.matters, rule.rfc, rule.sentence,
             rule.error, facts.witnesses[c.witness].name, ...who].join(' ').toLowerCase();
  c.size = facts.witnesses[c.witness].size;
  c.even = evenness(c);
  c.rank = MATTERS.indexOf(c.matters) * 10 + STATUS.indexOf(c.status);
});
const byId = new Map(facts.clusters.map(c => [c.id, c]));

const ORDERS = {
  worst: ['worst first', (a, b) => a.rank - b.rank || b.even - a.even],
  field: ['field', (a, b) => a.field.localeCompare(b.field) || a.kind.localeCompare(b.kind)],
  kind: ['kind', (a, b) => a.kind.localeCompare(b.kind)],
  peers: ['most peers', (a, b) => b.count - a.count],
  cases: ['most cases', (a, b) => b.cases - a.cases],
  size: ['shortest witness', (a, b) => a.size - b.size],
};
const DEFAULTS = {speaks: 'sip', q: '', matters: '', layer: '', peer: '', right: '', status: '', order: 'worst'};
let state = {...DEFAULTS};
let shown = []; // the clusters that pass, in their order
let here = {row: 0, column: 0}; // the cell that the keys are on; column 0 is the whole row

function passes(c) {
  const s = state;
  if (c.speaks !== s.speaks || (s.matters && c.matters !== s.matters) || (s.layer && c.layer !== s.layer) ||
      (s.right && c.right !== s.right)) return false;
  if (s.status && c.status !== s.status) return false;
  if (s.peer) {
    const at = peersOf[s.speaks].findIndex(p => p.name === s.peer);
    if (at < 0 || !COUNTS.includes(c.cells[at])) return false;
  }
  return s.q.toLowerCase().split(/\s+/).every(word => c.words.includes(word));
}

function fill(select, options) {
  const known = options.some(([value]) => value === state[select.id]);
  if (!known) state[select.id] = DEFAULTS[select.id];
  select.replaceChildren(...options.map(([value, text]) =>
    h('option', {value, selected: value === state[select.id]}, text)));
  select.value = state[select.id];
}

function fillFilter() {
  const mine = facts.clusters.filter(c => c.speaks === state.speaks);
  const choices = (key, all, names = {}) => [['', all],
    ...[...new Set(mine.map(c => c[key]))].sort().map(v => [v, names[v] || (v === 'open' ? 'not judged' : v)])];
  fill($('matters'), choices('matters', 'anything'));
  fill($('layer'), choices('layer', 'all'));
  fill($('peer'), [['', 'all'], ...peersOf[state.speaks].filter(p => p.name !== 'ref' && !p.absent).map(p => [p.name, p.name])]);
  fill($('right'), choices('right', 'whoever', RIGHT));
  fill($('status'), [['', 'all'], ...STATUS.map(s => [s, s])]);
  fill($('order'), Object.entries(ORDERS).map(([key, [text]]) => [key, text]));
  $('q').value = state.q;
  for (const input of $('speaks').querySelectorAll('input')) input.checked = input.value === state.speaks;
}

/* The filter as a fragment, so that a view can be sent to somebody. */
function fragment() {
  const parts = Object.keys(DEFAULTS).filter(k => state[k] !== DEFAULTS[k])
    .map(k => `${k}=${encodeURIComponent(state[k])}`);
  return parts.length ? '#' + parts.join('&') : '';
}
function remember(text) {
  history.replaceState(null, '', text || location.pathname + location.search);
}

function apply(change, quiet) {
  Object.assign(state, change);
  if (change.speaks) { state.peer = ''; state.layer = ''; }
  fillFilter();
  shown = facts.clusters.filter(passes).sort((a, b) => ORDERS[state.order][1](a, b) || a.index - b.index);
  here = {row: 0, column: 0};
  drawHeads();
  drawRows(true);
  const all = facts.clusters.filter(c => c.speaks === state.speaks).length;
  $('shown').textContent = `${shown.length} of ${plural(all, 'cluster')}`;
  if (!quiet) remember(fragment());
}

/* ---- the matrix ------------------------------------------------------------------------------- */

const MARGIN = 12; // rows above and below those in sight
let drawn = [0, 0], printing = false;
const narrow = matchMedia('(max-width:960px)');
const rowHeight = () => narrow.matches ? 112 : 46;

function drawHeads() {
  const columns = peersOf[state.speaks];
  const title = (text, css = '') => h('div', {class: `title ${css}`, role: 'columnheader'}, text);
  $('grid').style.setProperty('--peers', columns.length);
  $('grid').setAttribute('aria-colcount', columns.length + 4);
  $('heads').replaceChildren(h('div', {class: 'row', role: 'row', 'aria-rowindex': 1},
    title('Matters to'), title('What'), title('Right'), title('Cases', 'number'),
    columns.map((p, i) => {
      const n = shown.reduce((sum, c) => sum + COUNTS.includes(c.cells[i]), 0);
      const tip = p.absent ? `${p.name} is not here: ${p.absent}` : `${p.name} ${p.version}: differs in ${n} of these`;
      return h('div', {class: `cell${p.absent ? ' absent' : ''}${p.name === state.peer ? ' chosen' : ''}`, role: 'columnheader'},
        h('button', {type: 'button', class: 'peer', tabindex: -1, title: tip, 'aria-label': tip,
                     click: () => p.name !== 'ref' && !p.absent && apply({peer: state.peer === p.name ? '' : p.name})},
          h('span', {}, p.name), h('b', {}, p.absent || p.name === 'ref' ? '' : String(n))));
    })));
}

function drawRow(c, n) {
  const columns = peersOf[state.speaks];
  const cell = (at, css, ...children) =>
    h('div', {class: css, role: at ? 'gridcell' : 'rowheader', id: `c${n}-${at}`}, children);
  const row = h('div', {class: 'row', role: 'row', 'data-row': n, 'aria-rowindex': n + 2},
    cell(-1, 'matters', matters(c.matters)),
    cell(0, 'subject', h('b', {}, `${c.field}: ${c.kind}`), h('span', {}, sentence(c.what) || c.layer)),
    cell(-2, 'right', RIGHT[c.right] || c.right),
    cell(-3, 'number', String(c.cases)),
    columns.map((p, i) => {
      const group = c.groups ? c.groups[i] : 0, text = `${p.name} ${words(c.cells[i], group)}`;
      return h('div', {class: `cell${p.name === state.peer ? ' chosen' : ''}`, role: 'gridcell', id: `c${n}-${i + 1}`,
                       title: text, 'aria-label': text, 'data-column': i + 1}, verdict(c.cells[i], group));
    }));
  if (!printing) row.style.transform = `translateY(${n * rowHeight()}px)`;
  return row;
}

function drawRows(anew) {
  const rows = $('rows'), height = rowHeight();
  let from = 0, to = shown.length;
  if (!printing) {
    const top = -rows.getBoundingClientRect().top;
    const first = Math.floor(top / height), last = Math.ceil((top + innerHeight) / height);
    if (!anew && first >= drawn[0] && Math.min(last, shown.length) <= drawn[1]) return;
    from = Math.max(0, first - MARGIN);
    to = Math.max(Math.min(shown.length, last + MARGIN), Math.min(shown.length, from));
  }
  drawn = [from, to];
  rows.style.height = printing ? 'auto' : `${Math.max(shown.length, 2) * height}px`;
  $('grid').setAttribute('aria-rowcount', shown.length + 1);
  rows.replaceChildren(...(shown.length ? shown.slice(from, to).map((c, i) => drawRow(c, from + i))
    : [h('p', {class: 'none'}, 'Nothing is like that here.')]));
  mark();
}

/* Shows where the keys are. */
function mark() {
  for (const e of $('rows').querySelectorAll('.here, .current')) e.classList.remove('here', 'current');
  const cell = $(`c${here.row}-${here.column}`);
  if (!cell) return $('grid').removeAttribute('aria-activedescendant');
  cell.parentElement.classList.add('here');
  (here.column ? cell : cell.parentElement).classList.add('current');
  $('grid').setAttribute('aria-activedescendant', cell.id);
}

function move(rows, columns) {
  const clamp = (n, least, most) => Math.max(least, Math.min(most, n));
  here.row = clamp(here.row + rows, 0, Math.max(0, shown.length - 1));
  here.column = clamp(here.column + columns, 0, peersOf[state.speaks].length);
  const height = rowHeight(), top = $('rows').getBoundingClientRect().top + here.row * height;
  const least = $('heads').getBoundingClientRect().height + 46;
  const by = top < least ? top - least : Math.max(0, top + height + 12 - innerHeight);
  if (by) scrollBy({top: by, behavior: 'instant'});
  drawRows();
  mark();
}

function openHere() {
  const c = shown[here.row], peer = peersOf[state.speaks][here.column - 1];
  if (c) open(c, peer && peer.name);
}

/* ---- octets ----------------------------------------------------------------------------------- */

const CONTROL = ['NUL', 'SOH', 'STX', 'ETX', 'EOT', 'ENQ', 'ACK', 'BEL', 'BS', 'HT', 'LF', 'VT', 'FF', 'CR', 'SO', 'SI',
  'DLE', 'DC1', 'DC2', 'DC3', 'DC4', 'NAK', 'SYN', 'ETB', 'CAN', 'EM', 'SUB', 'ESC', 'FS', 'GS', 'RS', 'US'];
const hex = (n, width) => n.toString(16).padStart(width, '0');

/* One octet that is no printable ASCII, so that it is seen. */
function control(octet) {
  return h('i', {class: 'ctl'}, octet < 32 ? CONTROL[octet] : octet === 127 ? 'DEL' : hex(octet, 2).toUpperCase());
}

/* Octets from..to as text nodes and marked parts; `at` is the octet that decides. */
function textOf(bytes, from, to, at) {
  const out = [];
  let run = '';
  const flush = () => { if (run) out.push(run); run = ''; };
  for (let i = from; i < to; i++) {
    const plain = bytes[i] >= 32 && bytes[i] < 127;
    if (i === at) {
      flush();
      out.push(h('mark', {title: `octet ${i}`}, plain ? String.fromCharCode(bytes[i]) : control(bytes[i])));
    } else if (plain) {
      run += String.fromCharCode(bytes[i]);
    } else {
      flush();
      out.push(control(bytes[i]));
    }
  }
  flush();
  return out;
}

/* By its lines: offset, and what stands there. */
function textView(w, bytes) {
  const lines = [], at = w.at === null ? -1 : w.at - w.first;
  for (let from = 0; from < bytes.length;) {
    let to = bytes.indexOf(10, from);
    to = to < 0 ? bytes.length : to + 1;
    const about = w.line && w.line[0] - w.first < to && w.line[1] - w.first > from;
    lines.push(h('span', {class: `line${about ? ' about-this' : ''}`}, h('span', {class: 'off'}, String(from + w.first)),
                 textOf(bytes, from, to, at)));
    from = to;
  }
  if (at >= bytes.length) lines.push(h('span', {class: 'line'}, h('span', {class: 'off'}, String(w.size)), h('mark', {}, 'end')));
  return h('pre', {class: 'text', tabindex: 0, 'aria-label': 'The witness as text; the deciding octet is marked'}, lines);
}

/* Sixteen octets a line. */
function hexView(w, bytes) {
  const out = [], at = w.at === null ? -1 : w.at - w.first, width = innerWidth < 700 ? 8 : 16;
  for (let from = 0; from < bytes.length; from += width) {
    const to = Math.min(from + width, bytes.length);
    let left = `${hex(from + w.first, 4)}  `, right = '';
    const marked = at >= from && at < to;
    for (let i = from; i < from + width; i++) {
      const text = i < to ? hex(bytes[i], 2) : '  ';
      const letter = i >= to ? '' : bytes[i] >= 32 && bytes[i] < 127 ? String.fromCharCode(bytes[i]) : '·';
      if (i === at) {
        out.push(left, h('mark', {}, text));
        left = ' ';
        right += '\u0000';
      } else {
        left += text + ' ';
        right += letter;
      }
    }
    const [before, after] = right.split('\u0000');
    out.push(left, ' ', before);
    if (marked) out.push(h('mark', {}, bytes[at] >= 32 && bytes[at] < 127 ? String.fromCharCode(bytes[at]) : '·'), after);
    out.push('\n');
  }
  if (at >= bytes.length) out.push(hex(w.size, 4), '  ', h('mark', {}, 'end'));
  return h('pre', {class: 'hex', tabindex: 0, 'aria-label': 'The witness in hexadecimal'}, out);
}

const AROUND = 2048; // octets that are shown at once

function octetsOf(w) {
  const all = Uint8Array.from(atob(w.octets), c => c.charCodeAt(0));
  const box = h('div', {});
  const draw = (from, to) => {
    const part = {...w, first: w.first + from}, bytes = all.subarray(from, to);
    const rest = w.size > bytes.length;
    box.replaceChildren(h('div', {class: w.speaks === 'ws' ? 'octets frames' : 'octets'}, w.speaks === 'ws' ? '' : textView(part, bytes), hexView(part, bytes)),
      rest ? h('p', {class: 'about'}, `Octets ${part.first} to ${part.first + bytes.length} of ${w.size}. `,
               bytes.length < all.length ? h('button', {type: 'button', click: () => draw(0, all.length)},
                 `show ${plural(all.length, 'octet')}`) : 'The command below has them all.') : '');
  };
  const middle = w.at === null ? 0 : w.at - w.first;
  const from = all.length <= 2 * AROUND ? 0 : Math.max(0, middle - AROUND / 2);
  draw(from, Math.min(all.length, from + 2 * AROUND));
  return box;
}

/* ---- the witness ------------------------------------------------------------------------------ */

function command(text) {
  return h('div', {class: 'command'}, h('code', {tabindex: 0}, text), h('button', {type: 'button', class: 'copy', click: async e => {
    try { await navigator.clipboard.writeText(text); } catch (refused) {
      const range = document.createRange(), selection = getSelection();
      range.selectNodeContents(e.target.previousElementSibling);
      selection.removeAllRanges();
      selection.addRange(range);
      document.execCommand('copy');
    }
    e.target.textContent = 'copied';
    setTimeout(() => { e.target.textContent = 'copy'; }, 1200);
  }}, 'copy'));
}

/* What to type: where the witness lies in a checkout, and with its octets from anywhere. */
const LONGEST = 1 << 15; // octets that a command line may hold
function replays(w) {
  const all = w.size * 4 / 3 <= w.octets.length && w.size <= LONGEST;
  return [w.command, all ? `printf %s '${w.octets}' | base64 -d | build/bin/sipws-diff ${w.speaks === 'sip' ? '' : `--${w.speaks} `}-` : '']
    .filter(Boolean).map(command);
}

/* What most say: where nobody is right, the others are marked. */
function most(values) {
  const said = values.filter(v => v !== null), count = v => said.filter(o => o === v).length;
  return said.reduce((best, v) => count(v) > count(best) ? v : best, said[0]);
}
/* Spaces that would not be seen. */
const visible = text => text === '' ? '(empty)' : text.replace(/^ +| +$| {2,}/g, spaces => '␣'.repeat(spaces.length));

/* Readers down, fields across: those in which somebody differs, the one that it is about first. */
function readingsOf(w, about, named) {
  const answers = w.answers, at = answers.findIndex(a => a.peer === 'ref'), ref = answers[at] || {};
  const values = row => answers.map((_, i) => { // null: no opinion
    const [said, whose] = w.rows[row], v = whose === 0 ? 0 : whose[i];
    return v < 0 ? null : said[v];
  });
  const all = Object.keys(w.rows);
  const split = all.filter(row => new Set(values(row).filter(v => v !== null)).size > 1);
  split.sort((a, b) => (b === about) - (a === about));
  const agreed = all.filter(row => !split.includes(row));
  const takes = ref.verdict === 'accept';
  const row = (a, i) => {
    const base = said => at >= 0 && said[at] !== null ? said[at] : most(said);
    const odd = ref.verdict && a.verdict !== ref.verdict;
    return h('tr', {class: named.includes(a.peer) ? 'named' : ''},
      h('th', {scope: 'row'}, a.peer),
      h('td', {class: odd ? 'other' : 'same'}, a.verdict, a.reason ? h('small', {}, `: ${a.reason}`) : ''),
      split.map(field => {
        const said = values(field), v = said[i];
        if (v === null) return h('td', {class: 'none'}, a.reads ? 'no opinion' : '');
        return h('td', {class: v === base(said) ? 'same' : 'other'}, visible(v));
      }));
  };
  const head = text => h('th', {scope: 'col', class: text === about ? 'decides' : ''}, text);
  return [h('div', {class: 'readings', tabindex: 0}, h('table', {},
      h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'reader'), head('verdict'), split.map(head))),
      h('tbody', {}, answers.map(row)))),
    takes ? '' : h('p', {class: 'about'}, 'ref refuses this: no reading is right, and those that differ from most are marked.'),
    agreed.length ? h('details', {}, h('summary', {}, `${plural(agreed.length, 'field')} on which all who have an opinion agree`),
      h('dl', {}, agreed.map(r => [h('dt', {}, r), h('dd', {}, visible(values(r).find(v => v !== null)))]))) : ''];
}

function ruleOf(rule) {
  return h('div', {class: 'rule'}, h('p', {}, h('b', {}, `${section(rule.rfc)}. `), rule.sentence || rule.meaning || ''),
    rule.sentence && rule.meaning ? h('p', {}, rule.meaning) : '', rule.why ? h('p', {}, rule.why) : '');
}

const JUDGED = {
  ref: 'ref: the sentence decides against those who differ.',
  peer: 'the peer: ref is to follow.',
  both: 'both: the standard leaves room.',
  disputed: 'disputed: the standards contradict each other, and ref has chosen a reading.',
  open: 'nobody has judged this yet.',
};

function top(title, step) {
  const button = (text, label, click) => h('button', {type: 'button', 'aria-label': label, title: label, click}, text);
  return h('div', {class: 'top'}, button('close', 'close (Esc)', () => $('witness').close()),
    h('h2', {id: 'witness-title'}, title),
    step ? h('span', {}, button('↑', 'the one before (k)', () => step(-1)), button('↓', 'the next one (j)', () => step(1))) : '');
}
const fact = (name, ...value) => h('span', {}, `${name} `, h('b', {}, value));

function clusterCase(c, peer) {
  const w = facts.witnesses[c.witness], columns = peersOf[c.speaks];
  const named = columns.filter((_, i) => COUNTS.includes(c.cells[i])).map(p => p.name);
  const letter = peer ? c.cells[columns.findIndex(p => p.name === peer)] : '';
  const at = columns.findIndex(p => p.name === peer);
  return [top(`${c.field}: ${c.kind}`, step),
    h('p', {class: 'facts'}, matters(c.matters), fact('layer', c.layer), fact('cases', String(c.cases)),
      fact('witness', plural(w.size, 'octet')), c.quirk ? fact('quirk', c.quirk) : '', fact('status', c.status),
      c.grammar ? fact('the grammar', c.grammar) : ''),
    c.what ? h('p', {class: 'what'}, sentence(c.what)) : '',
    h('p', {class: 'soft'}, `${named.join(', ')} ${named.length === 1 ? 'differs' : 'differ'}.`,
      letter ? ` ${peer} ${words(letter, c.groups ? c.groups[at] : 0)}.` : ''),
    c.rule === null ? '' : ruleOf(facts.rules[c.rule]),
    h('p', {}, h('b', {}, 'Right: '), JUDGED[c.right] || c.right),
    h('h3', {}, 'Witness'), octetsOf(w),
    h('h3', {}, 'Readings'), readingsOf(w, c.field, named),
    h('h3', {}, 'Replay'), replays(w),
    h('p', {class: 'about'}, w.name ? `It lies in ${w.name}. ` : '', 'Link to this: ', h('a', {href: '#' + c.id}, '#' + c.id))];
}

let opened = null;
function show(content, link) {
  opened = link;
  $('case').replaceChildren(...content.flat().filter(Boolean));
  document.body.classList.add('open');
  if (!$('witness').open) $('witness').showModal();
  $('witness').scrollTop = 0;
  for (const e of $('case').querySelectorAll('.octets mark')) // a long witness is scrolled to what decides
    e.closest('pre').scrollTop = Math.max(0, e.offsetTop - e.closest('pre').clientHeight / 2);
  remember('#' + link);
}
function open(c, peer) { show(clusterCase(c, peer), c.id); }
function step(by) {
  if (!shown[here.row + by]) return;
  move(by, 0);
  openHere();
}

/* ---- coalitions ------------------------------------------------------------------------------- */

/* Chains that differ over one witness in the same way are one card: any of these, then any of those. */
function chainGroups() {
  const groups = new Map();
  for (const c of facts.coalitions) {
    const key = [c.kind, c.witness, c.field, c.readings[c.first], c.readings[c.second]].join('\u0000');
    if (!groups.has(key)) groups.set(key, {...c, pairs: []});
    groups.get(key).pairs.push(c);
  }
  return [...groups.values()].sort((a, b) => b.severity - a.severity || b.pairs.length - a.pairs.length || a.size - b.size);
}
const unique = list => [...new Set(list)];
function pairText(g) {
  return [unique(g.pairs.map(p => p.first)).join(', '), h('i', {}, '  →  '), unique(g.pairs.map(p => p.second)).join(', ')];
}
function chainCase(g) {
  const w = facts.witnesses[g.witness];
  return [top(`${g.kind}: ${g.field}`),
    h('p', {class: 'facts'}, fact('severity', `${g.severity} of 5`), fact('cause', g.cause), fact('witness', plural(g.size, 'octet')),
      fact('chains', String(g.pairs.length)), g.ref ? fact('ref', g.ref) : ''),
    h('p', {class: 'what'}, pairText(g)),
    g.attack ? h('p', {class: 'soft'}, sentence(g.attack), '.') : '',
    h('div', {class: 'rule'}, h('p', {}, g.rfc ? h('b', {}, `${section(g.rfc)}. `) : '', sentence(g.decides), '.')),
    h('h3', {}, 'What the two read'),
    h('div', {class: 'readings'}, h('table', {}, h('tbody', {},
      [['first', g.first], ['second', g.second]].map(([place, name]) => h('tr', {}, h('th', {scope: 'row'},
        unique(g.pairs.map(p => p[place])).join(', ')), h('td', {class: place === 'second' ? 'other' : ''}, visible(g.readings[name] || ''))))))),
    h('h3', {}, 'Witness'), octetsOf(w),
    h('h3', {}, 'All readings'), readingsOf(w, g.field, unique(g.pairs.flatMap(p => [p.first, p.second]))),
    h('h3', {}, 'Replay'), replays(w)];
}
const groups = chainGroups();
function drawChains(all) {
  const list = all ? groups : groups.slice(0, 8);
  $('chains').replaceChildren(...list.map(g => h('button', {type: 'button', class: 'chain', click: () => show(chainCase(g), g.id)},
      h('span', {class: 'rank'}, h('span', {class: 'bars', 'aria-hidden': 'true'}, '▮'.repeat(g.severity) + '▯'.repeat(5 - g.severity)),
        ` severity ${g.severity}`),
      h('span', {class: 'pair'}, pairText(g)),
      h('span', {}, `${g.kind}: ${g.field}, `, contrast(g.readings[g.first], g.readings[g.second]).map((text, i) => [i ? ' then ' : '', h('code', {}, short(text))])),
      h('span', {class: 'soft'}, `${sentence(g.attack || g.decides)} (${plural(g.size, 'octet')}, ${plural(g.pairs.length, 'chain')})`))),
    list.length < groups.length ? h('button', {type: 'button', click: () => drawChains(true)}, `show all ${groups.length}`)
      : facts.left ? h('p', {class: 'about'}, `The worst: ${plural(facts.left, 'chain')} more are told by sipws-diff --coalitions.`) : '');
}
/* Of two long lists of words only those that the other has not. */
function contrast(a, b) {
  const words = [a, b].map(text => (text || '').split(' '));
  if (words.some(list => list.length < 4)) return [a, b];
  return words.map((list, i) => list.filter(word => !words[1 - i].includes(word)).join(' ') || 'nothing more');
}
const short = text => text === null || text === undefined ? '?' : visible(text.length > 60 ? text.slice(0, 57) + '…' : text);

/* ---- head and totals -------------------------------------------------------------------------- */

function drawFigures() {
  const figure = (value, name) => h('div', {class: 'figure'}, h('b', {}, String(value)), h('span', {}, name));
  const present = speaks => peersOf[speaks].filter(p => !p.absent && p.name !== 'ref').length;
  const count = test => facts.clusters.filter(test).length;
  $('figures').append(figure(present('sip'), 'SIP stacks'), figure(present('ws'), 'WebSocket stacks'),
    figure(facts.clusters.length, 'clusters'), figure(count(c => c.matters === 'smuggling'), 'matter to smuggling'),
    figure(count(c => c.matters === 'identity'), 'matter to identity'), figure(count(c => !c.quirk), 'not judged yet'),
    groups.length ? figure(groups.length, 'kinds of coalitions') : '');
  const all = [...peersOf.sip, ...peersOf.ws, ...peersOf.http].filter((p, i, list) => list.findIndex(o => o.name === p.name) === i);
  const absent = all.filter(p => p.absent);
  $('about').append(`Of ${facts.what}. Asked: `, all.filter(p => !p.absent).map(p => `${p.name} ${p.version}`).join(', '), '.',
    absent.length ? ` Not here: ${absent.map(p => `${p.name} (${p.absent})`).join(', ')}.` : ' Nobody is absent.',
    facts.commit ? ` Commit ${facts.commit}.` : '',
    facts.unseen.length ? ` ${plural(facts.unseen.length, 'known quirk')} did not show.` : '');
  if (facts.faults.length) {
    $('faults').hidden = false;
    $('faults').append(...facts.faults.map(f => h('li', {}, `A fault of ref: ${f.file}: ${f.grammar}`)));
  }
}

function drawTotals() {
  const body = [];
  for (const speaks of Object.keys(SPEAKS))
    peersOf[speaks].forEach((p, i) => {
      if (p.name === 'ref') return;
      const mine = facts.clusters.filter(c => c.speaks === speaks && COUNTS.includes(c.cells[i]));
      const count = test => { const n = mine.filter(test).length; return h('td', {class: 'number'}, n ? String(n) : '·'); };
      const choose = () => { apply({speaks}); apply({peer: p.name}); $('matrix').scrollIntoView(); $('grid').focus({preventScroll: true}); };
      body.push(h('tr', {class: p.absent ? 'quiet' : ''},
        h('td', {class: 'peer'}, p.absent ? p.name : h('button', {type: 'button', click: choose}, p.name)),
        h('td', {}, p.absent ? '' : p.version), h('td', {}, SPEAKS[speaks]),
        p.absent ? h('td', {class: 'why', colspan: 8}, `not here: ${p.absent}`)
          : [count(() => true), count(c => c.cells[i] === 'T'), count(c => c.cells[i] === 'R'), count(c => 'CH'.includes(c.cells[i])),
             MATTERS.slice(0, 4).map(m => count(c => c.matters === m))]));
    });
  const head = (text, css) => h('th', {scope: 'col', class: css}, text);
  $('totals').append(h('div', {class: 'wide'}, h('table', {}, h('thead', {}, h('tr', {}, head('Peer'), head('Version'), head('Reads'),
    ['Clusters', 'takes', 'refuses', 'dies', 'smuggling', 'identity', 'denial', 'interop'].map(t => head(t, 'number')))),
    h('tbody', {}, body))));
}

function drawLegend() {
  $('legend').append(...Object.entries(VERDICTS).map(([letter, v]) => h('span', {}, verdict(letter, 0), v[2])));
}

/* ---- events ----------------------------------------------------------------------------------- */

function follow() {
  const text = location.hash.slice(1);
  const c = byId.get(text), g = groups.find(x => x.pairs.some(p => p.id === text));
  if (g) return show(chainCase(g), text);
  if (c) {
    if (c.speaks !== state.speaks) apply({speaks: c.speaks}, true);
    if (!shown.includes(c)) apply({...DEFAULTS, speaks: c.speaks}, true);
    here.row = Math.max(0, shown.indexOf(c));
    return open(c);
  }
  if (text.includes('=')) {
    const asked = {...DEFAULTS};
    for (const [key, value] of new URLSearchParams(location.hash.slice(1))) if (key in DEFAULTS) asked[key] = value;
    if (!(asked.speaks in SPEAKS)) asked.speaks = DEFAULTS.speaks;
    state = asked;
    apply({}, true);
  }
}

function keys(e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const typing = e.target.matches('input[type=search], select, textarea');
  if ($('witness').open) {
    const by = {j: 1, k: -1}[e.key];
    if (by && byId.has(opened)) { e.preventDefault(); step(by); }
    return;
  }
  if (typing) {
    if (e.key === 'Escape' || (e.key === 'Enter' && e.target.id === 'q')) { e.preventDefault(); $('grid').focus(); }
    return;
  }
  if (e.key === '/') { e.preventDefault(); $('q').focus(); $('q').select(); return; }
  const grid = document.activeElement === $('grid');
  const page = Math.max(1, Math.floor(innerHeight / rowHeight()) - 4);
  const moves = {j: [1, 0], k: [-1, 0]};
  if (grid) Object.assign(moves, {ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], l: [0, 1], h: [0, -1],
    PageDown: [page, 0], PageUp: [-page, 0], Home: [-Infinity, 0], End: [Infinity, 0]});
  if (moves[e.key]) {
    e.preventDefault();
    if (!grid) $('grid').focus({preventScroll: true});
    move(...moves[e.key]);
  } else if (grid && (e.key === 'Enter' || e.key === ' ')) {
    e.preventDefault();
    openHere();
  }
}

function listen() {
  $('speaks').append(...Object.entries(SPEAKS).map(([value, text]) => h('label', {},
    h('input', {type: 'radio', name: 'speaks', value, change: () => apply({speaks: value})}), h('span', {}, text))));
  for (const id of ['matters', 'layer', 'peer', 'right', 'status', 'order']) $(id).addEventListener('change', e => apply({[id]: e.target.value}));
  $('q').addEventListener('input', e => apply({q: e.target.value}));
  $('filter').addEventListener('submit', e => e.preventDefault());
  $('filter').addEventListener('reset', e => { e.preventDefault(); apply({...DEFAULTS, speaks: state.speaks}); });
  $('rows').addEventListener('click', e => {
    const row = e.target.closest('.row'), cell = e.target.closest('[data-column]');
    if (!row || !getSelection().isCollapsed) return;
    here = {row: Number(row.dataset.row), column: cell ? Number(cell.dataset.column) : 0};
    mark();
    openHere();
  });
  $('grid').addEventListener('focus', mark);
  $('witness').addEventListener('click', e => { if (e.target === $('witness')) $('witness').close(); });
  $('witness').addEventListener('close', () => {
    document.body.classList.remove('open');
    // It is told late: whoever has gone on to the filter meanwhile stays there.
    if (byId.has(opened) && document.activeElement === document.body) $('grid').focus({preventScroll: true});
    if (byId.has(opened)) move(0, 0);
    opened = null;
    remember(fragment());
  });
  addEventListener('scroll', () => drawRows(), {passive: true});
  addEventListener('resize', () => drawRows(true));
  // On paper a dialog has one page only: what it shows stands beside it meanwhile.
  addEventListener('beforeprint', () => { printing = true; drawRows(true); document.body.append($('case')); });
  addEventListener('afterprint', () => { printing = false; drawRows(true); $('witness').append($('case')); });
  addEventListener('hashchange', follow);
  addEventListener('keydown', keys);
}

listen();
drawFigures();
drawLegend();
drawTotals();
drawChains(false);
if (!groups.length) $('coalitions').hidden = $('to-coalitions').hidden = true;
apply({}, true);
follow();
