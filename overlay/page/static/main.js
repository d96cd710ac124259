// The page: one viewer of `glom serve`.

import { Clock } from './clock.js';
import { keepSettings, keepToken, settings, token } from './kept.js';
import { listen } from './keys.js';
import { parse } from './meta.js';
import { keepPlaying } from './mjpeg.js';
import { announce, byId, island, meters, put, rows, ticks, toast } from './panels.js';
import { Screen } from './screen.js';
import { Session } from './session.js';
import { Stats } from './stats.js';
import { Tree } from './tree.js';

const staleAfter = 2000; // milliseconds without a new picture
const unansweredAfter = 3000; // milliseconds until a server that does not answer is given up
const unplayedAfter = 8000; // milliseconds of messages without a picture until the connection is given up
const awayAfter = 30000; // milliseconds out of sight until the server need not send video
const retryFallback = 60000; // milliseconds between tries of WebRTC while MJPEG plays
const views = ['islands', 'outlines', 'confidence', 'none'];

// Kept from visit to visit, as far as the browser allows.
const saved = settings();
const me = {
  level: saved.level ?? null, // null: what the server says
  view: views.includes(saved.view) ? saved.view : 'islands',
  opacity: saved.opacity >= 0 && saved.opacity <= 1 ? saved.opacity : 0.45,
  side: saved.side === true,
  keys: saved.keys !== false, // keys of one letter do something
  paused: false,
  selected: null, // {level, id}
};
let server = { role: 'viewer', can: [], names: ['primary', 'sub-part', 'part', 'object', 'scene'], stalled: false };
let mode = 'connecting'; // connecting, live, waiting, denied, fallback
let lastPicture = 0; // performance.now when the last new picture was shown
let lastFull = null; // the last message with all levels
let asked = null; // a ping without an answer: {t}
let latency = null;
let newest = 0; // number of the newest frame that was told of
let connected = 0; // performance.now when the connection came up
let broken = 0; // messages that could not be read
let mjpeg = null; // AbortController while MJPEG plays

const clock = new Clock();
const stats = new Stats();
const tree = new Tree(byId('tree'), choose);
const screen = new Screen(byId('video'), byId('canvas'), () => ({ ...me, selected: me.selected ?? followed() }), { video: onVideo, image: onImage, blocked: onBlocked });
const session = new Session('whep?picture=plain', token(), { state: onState, stream: (s) => screen.play(s), meta: onMeta, control: onControl });

// What comes in

function onState(name, detail) {
  if (name === 'connected') {
    clock.reset();
    stats.reset();
    asked = null;
    server.stalled = false;
    lastPicture = performance.now();
    connected = lastPicture;
    put(byId('wait-text'), 'Waiting for the first picture');
    session.send({ type: 'set', paused: me.paused, ...(me.level === null ? {} : { level: me.level }) });
    ping();
    return;
  }
  if (mode === 'fallback') {
    if (name !== 'unplayable') return; // MJPEG goes on while WebRTC is tried
    session.stop();
    return;
  }
  if (name === 'connecting') setMode('connecting', 'Connecting');
  if (name === 'waiting') setMode('waiting', `${sentence(detail.error)} Trying again in ${detail.seconds} s.`);
  if (name === 'unplayable') fallBack(detail.error);
  if (name === 'denied') askToken(detail.error);
}

function setMode(name, text) {
  if (mode !== name) {
    mode = name;
    const words = { connecting: 'Connecting', live: 'Live', waiting: 'Reconnecting', denied: 'Token needed', fallback: 'MJPEG' };
    put(byId('status-text'), words[name]);
  }
  put(byId('wait-text'), text);
  showState();
}

function showState() {
  const stale = ['live', 'fallback'].includes(mode) && !me.paused && (server.stalled || performance.now() - lastPicture > staleAfter);
  document.body.dataset.state = stale ? 'stale' : mode;
  const banner = byId('stale');
  if (stale) {
    const seconds = Math.floor((performance.now() - lastPicture) / 1000);
    put(byId('stale-text'), server.stalled ? 'The source gives no new pictures. This one is old.' : 'No new pictures. This one is old.');
    put(byId('stale-for'), seconds > 9 ? `${seconds} s` : ''); // is not read out: it would be again and again
  }
  banner.hidden = !stale;
  put(byId('status-text'), stale ? 'Stale' : { live: me.paused ? 'Paused' : 'Live', fallback: 'MJPEG' }[mode] ?? byId('status-text').textContent);
  byId('chip-mode').hidden = mode !== 'fallback';
}

function onVideo(meta, shown) {
  lastPicture = performance.now();
  session.played();
  if (mode !== 'live') goLive();
  const age = meta && clock.age(meta.captured, shown);
  if (age !== null) latency = latency === null ? age : latency + 0.1 * (age - latency);
}

function onImage() { lastPicture = performance.now(); }

function onBlocked() { put(byId('wait-text'), 'Touch the picture to start'); }

function goLive() {
  mjpeg?.abort();
  mjpeg = null;
  setMode('live', '');
  showControls();
}

function onMeta(buffer) {
  let frame;
  try {
    frame = parse(buffer);
  } catch {
    broken++;
    return;
  }
  screen.add(frame);
  if (frame.seq + 1000 < newest) me.selected = null; // the server began anew, and so did the ids
  newest = frame.seq + 1000 < newest ? frame.seq : Math.max(newest, frame.seq);
  server.stalled = frame.stale || server.told === true;
  if (frame.cut && me.selected) me.selected = null; // all ids are new
  if (frame.full) {
    lastFull = frame;
    showTree();
  }
  panelsDue = true;
}

function onControl(message) {
  if (message.type === 'pong') {
    asked = null;
    clock.pong(message);
    return;
  }
  if (message.type !== 'state') return;
  const before = server.follow;
  server = { ...server, follow: undefined, notice: '', error: '', can: [], ...message, told: message.stalled };
  if (message.names?.length > 0) {
    tree.names = server.names;
    byId('level').max = String(server.names.length - 1);
  }
  if (me.level === null && Number.isInteger(message.level)) setLevel(message.level, false);
  put(byId('source'), server.source ?? '');
  document.title = server.source ? `${server.source} – glom` : 'glom';
  if (server.error || server.notice) toast(server.error || server.notice);
  const f = server.follow;
  if (f && before && me.selected && same(me.selected, { level: before.level, id: before.island })) {
    me.selected = { level: f.level, id: f.island }; // it has a new id
  }
  if (!f !== !before) announce(f ? `Following ${nameOf({ level: f.level, id: f.island })}` : 'Nothing is followed');
  showControls();
}

// Choosing

const same = (a, b) => a?.level === b?.level && a?.id === b?.id;
const can = (what) => server.role === 'operator' && (server.can ?? []).includes(what);
const nameOf = (s) => `${server.names[s.level] ?? `level ${s.level}`} ${s.id}`;

function followed() {
  return server.follow ? { level: server.follow.level, id: server.follow.island } : null;
}

function choose(level, id) {
  me.selected = { level, id };
  if (level !== me.level) setLevel(level);
  if (can('follow')) session.send({ type: 'follow', level, island: id });
  tree.reveal();
  announce(`Chosen: ${nameOf(me.selected)}`);
  showChoice();
}

function clear() {
  if (!me.selected && !followed()) return;
  if (can('unfollow')) session.send({ type: 'unfollow' }); // also if the answer to follow did not come yet
  if (me.selected) announce('Nothing is chosen');
  me.selected = null;
  showChoice();
}

function click(e) {
  if (mode === 'denied') byId('token-dialog').showModal();
  if (!me.paused) screen.resume(); // in case the browser waited for this
  const hit = screen.islandAt(e.currentTarget, e.clientX, e.clientY);
  if (!hit) return;
  if (same(hit, me.selected)) clear();
  else choose(hit.level, hit.id);
}

// step chooses the next island of the shown level, or the one before.
function step(by) {
  const level = me.level ?? screen.drawn?.meta?.level; // the picture may still show the level before
  const meta = [screen.drawn?.meta, screen.frames.latest, lastFull].find((f) => f?.nodes.has(level));
  const ids = (meta?.nodes.get(level).islands ?? []).map((s) => s.id).sort((a, b) => a - b);
  if (ids.length === 0) return;
  const i = me.selected?.level === level ? ids.indexOf(me.selected.id) : -1;
  const next = i < 0 ? (by > 0 ? 0 : ids.length - 1) : (i + by + ids.length) % ids.length;
  choose(level, ids[next]);
}

function setLevel(level, keep = true) {
  const l = Math.min(Math.max(level, 0), server.names.length - 1);
  if (l === me.level) return;
  me.level = l;
  if (keep) {
    keepSettings(me);
    session.send({ type: 'set', level: l });
  }
  showControls();
}

function setView(view) {
  me.view = view;
  keepSettings(me);
  showControls();
  screen.redraw();
}

function setOpacity(opacity) {
  me.opacity = Math.min(Math.max(Math.round(opacity * 20) / 20, 0), 1);
  keepSettings(me);
  showControls();
  screen.redraw();
}

function setSide(on) {
  me.side = on;
  keepSettings(me);
  showControls();
}

function setPaused(on) {
  me.paused = on;
  lastPicture = performance.now();
  session.send({ type: 'set', paused: on });
  if (on) screen.pause();
  else screen.resume();
  showControls();
  showState();
}

// Showing

let panelsDue = false;

function showControls() {
  const level = me.level ?? 3;
  const slider = byId('level');
  slider.value = String(level);
  slider.setAttribute('aria-valuetext', `${level}, ${server.names[level] ?? ''}`);
  put(byId('level-name'), server.names[level] ?? '');
  put(byId('chip-level'), `level ${level} ${server.names[level] ?? ''}`);
  ticks(server.names, level);
  for (const r of document.getElementsByName('view')) r.checked = r.value === me.view;
  byId('opacity').value = String(Math.round(100 * me.opacity));
  put(byId('opacity-value'), `${Math.round(100 * me.opacity)} %`);
  const burnt = mode === 'fallback'; // the islands are part of the picture
  slider.disabled = burnt;
  for (const r of document.getElementsByName('view')) r.disabled = burnt;
  byId('opacity').disabled = burnt || me.view === 'outlines' || me.view === 'none';
  byId('panes').classList.toggle('side-by-side', me.side);
  byId('video').setAttribute('aria-hidden', String(!me.side)); // it lies behind the canvas
  press('side', me.side);
  press('pause', me.paused);
  const f = server.follow;
  byId('chip-follow').hidden = !f;
  if (f) put(byId('chip-follow'), `following ${server.names[f.level] ?? ''} ${f.island}${f.lost ? ', out of view' : ''}`);
  byId('server-row').hidden = !can('snapshot');
  showChoice();
}

function press(id, on) { byId(id).setAttribute('aria-pressed', String(on)); }

function showChoice() {
  const chosen = me.selected ?? followed();
  const meta = screen.frames.latest;
  const source = [meta, lastFull].find((f) => f?.nodes.has(chosen?.level));
  const s = source?.nodes.get(chosen?.level)?.islands.find((x) => x.id === chosen.id);
  const parent = s && chosen.level < server.names.length - 1 ? nameOf({ level: chosen.level + 1, id: s.parent }) : '';
  island(chosen, chosen ? nameOf(chosen) : '', s, parent, source);
  byId('follow').hidden = !can('follow');
  byId('unselect').hidden = !me.selected && !can('unfollow'); // another's choice
  press('follow', same(chosen, followed()));
  put(byId('follow'), same(chosen, followed()) ? 'Following' : 'Follow');
  if (me.paused) screen.redraw();
}

function showTree() {
  byId('tree-none').hidden = true;
  let n = 0;
  for (const { islands } of lastFull.nodes.values()) n += islands.length;
  put(byId('tree-count'), `${n} islands`);
  if (byId('tree-details').open) tree.update(lastFull, me.selected ?? followed(), lastFull.levels - 2);
}

// Panels change a few times a second: more than that cannot be read.
setInterval(() => {
  if (!panelsDue || document.hidden) return;
  panelsDue = false;
  const meta = screen.frames.latest;
  if (meta) meters(meta);
  showChoice();
}, 250);

async function showStats() {
  const report = mode === 'fallback' ? null : await session.stats();
  const pairs = report ? stats.read(report, latency, screen.drawn?.meta) : [];
  if (server.viewers > 0) pairs.push(['Viewers', String(server.viewers)]);
  if (broken > 0) pairs.push(['Broken messages', String(broken)]);
  rows(byId('stats'), pairs);
  const get = (name) => pairs.find(([n]) => n === name)?.[1] ?? '';
  put(byId('stats-short'), pairs.length > 0 ? `${get('Latency')}, ${get('Frames')}` : '');
}

// Watching over the connection

function ping() {
  const t = Clock.now();
  if (session.send({ type: 'ping', t })) asked ??= { t };
}

let ticked = Date.now();
let ticksSoFar = 0;

setInterval(() => {
  const now = Date.now();
  const slept = now - ticked > 5000; // the machine slept, or the browser froze the page
  ticked = now;
  ticksSoFar++;
  if (slept && mode !== 'denied') {
    lastPicture = performance.now();
    if (mode !== 'fallback') session.start();
    return;
  }
  if (mode === 'live') {
    const still = performance.now() - lastPicture > staleAfter;
    if (still || ticksSoFar % 5 === 0) ping();
    if (still && asked && Clock.now() - asked.t > unansweredAfter) {
      asked = null;
      session.fail('The server does not answer.');
    }
  }
  const last = screen.frames.latest;
  if (mode === 'connecting' && !document.hidden && !me.paused && last && !last.stale && last.arrived > connected + unplayedAfter) {
    session.fail('The browser does not play the pictures.');
  }
  showState();
  if (!document.hidden) showStats();
}, 1000);

addEventListener('online', () => ['waiting', 'fallback'].includes(mode) && session.start());
// A page that nobody looks at needs no video for long.
let away = 0;

document.addEventListener('visibilitychange', () => {
  clearTimeout(away);
  if (document.hidden) {
    away = setTimeout(() => session.send({ type: 'set', paused: true }), awayAfter);
    return;
  }
  if (!me.paused) session.send({ type: 'set', paused: false });
  lastPicture = performance.now(); // hidden pages are not told of pictures
  if (mode === 'waiting') session.start();
});
addEventListener('pagehide', () => session.stop());
addEventListener('pageshow', (e) => e.persisted && session.start());

function sentence(error) {
  const text = String(error.message || error);
  return /[.!?]$/.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}.`;
}

// fallBack shows motion JPEG, whose islands are burnt in, and tries WebRTC again now and then.
function fallBack(error) {
  session.stop();
  mjpeg?.abort();
  mjpeg = new AbortController();
  const mine = mjpeg;
  setMode('fallback', '');
  showControls();
  announce(`${sentence(error)} Showing plain pictures instead.`);
  const timer = setInterval(() => session.start(), retryFallback);
  mine.signal.addEventListener('abort', () => clearInterval(timer));
  const show = async (blob) => {
    const image = await createImageBitmap(blob);
    if (!me.paused && !mine.signal.aborted) screen.showImage(image);
    image.close();
  };
  keepPlaying('stream.mjpeg', token, mine.signal, show).catch((e) => {
    mine.abort();
    askToken(e);
  });
}

function askToken(error) {
  setMode('denied', 'This server needs a token.');
  put(byId('token-why'), token() ? `The server did not take the token: ${error.message}` : 'The server printed a token when it started.');
  const d = byId('token-dialog');
  if (!d.open) d.showModal();
}

byId('token-form').addEventListener('submit', () => {
  const given = byId('token').value.trim();
  keepToken(given);
  session.token = given;
  session.start();
});

async function snapshot() {
  const canvas = screen.canvas;
  const seq = screen.drawn?.meta?.seq;
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/png'); });
  if (!blob) return;
  const a = document.createElement('a');
  a.href = URL.createObjectURL(blob);
  a.download = seq === undefined ? 'glom.png' : `glom-${String(seq).padStart(6, '0')}.png`;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  toast(`Saved as ${a.download}`);
}

function serverSnapshot() {
  if (can('snapshot')) session.send({ type: 'snapshot' });
}

function fullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId('stage').requestFullscreen?.().catch(() => {});
}

// Controls

function toggle(id, name) {
  const details = byId(id);
  details.open = !details.open;
  announce(`${name} ${details.open ? 'open' : 'closed'}`);
}

byId('level').addEventListener('input', (e) => setLevel(Number(e.target.value)));
byId('opacity').addEventListener('input', (e) => setOpacity(Number(e.target.value) / 100));
for (const r of document.getElementsByName('view')) r.addEventListener('change', () => setView(r.value));
byId('pause').addEventListener('click', () => setPaused(!me.paused));
byId('side').addEventListener('click', () => setSide(!me.side));
byId('snapshot').addEventListener('click', snapshot);
byId('server-snapshot').addEventListener('click', serverSnapshot);
byId('fullscreen').addEventListener('click', fullscreen);
byId('help').addEventListener('click', () => byId('help-dialog').showModal());
byId('unselect').addEventListener('click', clear);
byId('follow').addEventListener('click', () => {
  const chosen = me.selected ?? followed();
  if (!chosen) return;
  if (same(chosen, followed())) session.send({ type: 'unfollow' });
  else session.send({ type: 'follow', level: chosen.level, island: chosen.id });
});
byId('canvas').addEventListener('click', click);
byId('video').addEventListener('click', click);
byId('tree-details').addEventListener('toggle', () => lastFull && showTree());
byId('insecure-close').addEventListener('click', () => { byId('insecure').hidden = true; });

listen({
  level: (l) => l < server.names.length && setLevel(l),
  '[': () => setLevel((me.level ?? 3) - 1),
  ']': () => setLevel((me.level ?? 3) + 1),
  v: () => {
    setView(views[(views.indexOf(me.view) + 1) % views.length]);
    announce(`View: ${me.view}`);
  },
  '-': () => setOpacity(me.opacity - 0.1),
  '+': () => setOpacity(me.opacity + 0.1),
  '=': () => setOpacity(me.opacity + 0.1),
  n: () => step(1),
  b: () => step(-1),
  Escape: clear,
  ' ': () => setPaused(!me.paused),
  s: () => {
    setSide(!me.side);
    announce(me.side ? 'Side by side' : 'One picture');
  },
  d: snapshot,
  w: serverSnapshot,
  f: fullscreen,
  t: () => toggle('tree-details', 'Parse tree'),
  i: () => toggle('stats-details', 'Statistics'),
  '?': () => byId('help-dialog').showModal(),
}, () => me.keys);

byId('keys').checked = me.keys;
byId('keys').addEventListener('change', (e) => {
  me.keys = e.target.checked;
  keepSettings(me);
});

const loopback = ['localhost', '[::1]'].includes(location.hostname) || /^127\./.test(location.hostname);
byId('fullscreen').hidden = !document.fullscreenEnabled;
byId('insecure').hidden = location.protocol !== 'http:' || loopback;
tree.names = server.names;
showControls();
session.start();
