// What is told in words and numbers beside the picture. Text goes in as text, never as markup.

import { css } from './palette.js';
import { percent } from './tree.js';

export const byId = (id) => document.getElementById(id);

/** put sets the text of an element if it differs. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** rows shows [name, text] pairs in a list of definitions. */
export function rows(list, pairs) {
  while (list.children.length > pairs.length) list.lastElementChild.remove();
  pairs.forEach(([name, text], i) => {
    let row = list.children[i];
    if (!row) {
      row = document.createElement('div');
      row.append(document.createElement('dt'), document.createElement('dd'));
      list.append(row);
    }
    put(row.firstElementChild, name);
    put(row.lastElementChild, text);
  });
}

/** announce tells people who hear the page, also what it told before. */
export function announce(text) {
  const a = byId('announce');
  put(a, a.textContent === text ? `${text}\u00a0` : text); // the same once more would not be a change
}

/** toast tells everyone, for some seconds. */
export function toast(text) {
  const t = byId('toast');
  put(t, text);
  t.classList.add('shown');
  clearTimeout(t.timer);
  t.timer = setTimeout(() => {
    t.classList.remove('shown');
    t.timer = setTimeout(() => put(t, ''), 500); // so that the same text is a change, and read out, again
  }, 5000);
}

/** meters shows how sure the islands of a level are, and how settled the frame. */
export function meters(frame) {
  const islands = frame.nodes.get(frame.level)?.islands ?? [];
  let area = 0;
  let sure = 0;
  for (const s of islands) {
    area += s.area;
    sure += s.area * s.confidence;
  }
  show('confidence', area > 0 ? sure / area : NaN);
  show('settled', 1 - frame.unsettled);
  byId('chip-unsettled').hidden = !(frame.unsettled >= 0.25);
}

function show(name, value) {
  byId(name).value = Number.isFinite(value) ? value : 0;
  put(byId(`${name}-text`), Number.isFinite(value) ? `${Math.round(100 * value)} %` : '–');
}

/** island shows what is known of the chosen island; s is undefined if it is not in the frame. */
export function island(selected, name, s, parent, frame) {
  byId('island-none').hidden = selected !== null;
  byId('island-some').hidden = selected === null;
  if (!selected) return;
  byId('island-swatch').style.background = css(selected.id);
  put(byId('island-name'), name);
  byId('island-gone').hidden = s !== undefined;
  if (!s) return;
  rows(byId('island-facts'), [
    ['Area', percent(s.area / (frame.w * frame.h))],
    ['Confidence', percent(s.confidence)],
    ['Agreement', percent(s.agreement)],
    ...(parent ? [['Part of', parent], ['Ends there too', percent(s.nesting)]] : []),
    ['Centre', `${s.cx}, ${s.cy}`],
    ['Seen for', `${s.age + 1} frames`],
  ]);
}

/** ticks writes the names of the levels below the slider. */
export function ticks(names, level) {
  const list = byId('ticks');
  if (list.children.length !== names.length) {
    list.replaceChildren(...names.map(() => document.createElement('span')));
  }
  names.forEach((name, i) => {
    put(list.children[i], name);
    list.children[i].classList.toggle('on', i === level);
  });
}
