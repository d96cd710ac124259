// The parse tree as an accessible tree (ARIA's pattern "tree view"): the coarsest islands at the
// root, their parts inside. Items are made once and changed in place, so that the focus stays where
// it is while the tree lives.

import { css } from './palette.js';

const most = 300; // items, so that a phone keeps up

export class Tree {
  #root;
  #choose;
  #items = new Map(); // "level:id" → item
  #closed = new Map(); // "level:id" → whether somebody closed or opened it
  #names = [];
  #selected = '';
  #openDown = 0; // levels from this one up are open unless somebody closed them
  #reveal = 0; // frames with which to scroll to the selected item

  constructor(root, choose) {
    this.#root = root;
    this.#choose = choose;
    root.addEventListener('click', (e) => this.#click(e));
    root.addEventListener('keydown', (e) => this.#key(e));
  }

  set names(names) { this.#names = names; }

  /** reveal opens what the selected item lies in and scrolls to it, with the next frames. */
  reveal() { this.#reveal = 3; }

  /** update shows a frame that has all levels. */
  update(frame, selected, openDown) {
    this.#selected = selected ? `${selected.level}:${selected.id}` : '';
    this.#openDown = openDown;
    if (this.#reveal > 0) this.#openAbove(frame, selected);
    const children = new Map();
    for (const [level, { islands }] of frame.nodes) {
      for (const s of islands) {
        const above = level < frame.levels - 1 ? `${level + 1}:${s.parent}` : '';
        if (!children.has(above)) children.set(above, []);
        children.get(above).push({ key: `${level}:${s.id}`, level, island: s });
      }
    }
    const seen = new Set();
    this.#fill(this.#root, children.get('') ?? [], children, frame.w * frame.h, seen);
    for (const [key, item] of this.#items) {
      if (seen.has(key)) continue;
      item.li.remove();
      this.#items.delete(key);
    }
    this.#rove();
    this.#scroll();
  }

  #openAbove(frame, selected) {
    for (let at = selected; at && at.level < frame.levels - 1;) {
      const s = frame.nodes.get(at.level)?.islands.find((x) => x.id === at.id);
      at = s && { level: at.level + 1, id: s.parent };
      if (at) this.#closed.set(`${at.level}:${at.id}`, false);
    }
  }

  // #scroll moves the tree alone, not the page.
  #scroll() {
    const row = this.#reveal > 0 && this.#items.get(this.#selected)?.li.firstElementChild;
    this.#reveal = Math.max(this.#reveal - 1, 0);
    if (!row) return;
    const at = row.getBoundingClientRect();
    const box = this.#root.getBoundingClientRect();
    if (at.top < box.top) this.#root.scrollTop -= box.top - at.top;
    else if (at.bottom > box.bottom) this.#root.scrollTop += at.bottom - box.bottom;
  }

  #fill(list, nodes, children, pixels, seen) {
    nodes.sort((a, b) => a.island.id - b.island.id);
    let place = list.firstElementChild;
    for (const n of nodes) {
      if (seen.size >= most || seen.has(n.key)) continue;
      seen.add(n.key);
      const item = this.#items.get(n.key) ?? this.#make(n);
      if (item.li !== place) list.insertBefore(item.li, place);
      else place = place.nextElementSibling;
      this.#show(item, n, pixels);
      const inner = children.get(n.key) ?? [];
      const open = inner.length > 0 && !(this.#closed.get(n.key) ?? n.level < this.#openDown);
      if (inner.length > 0) item.li.setAttribute('aria-expanded', String(open));
      else item.li.removeAttribute('aria-expanded');
      item.group.hidden = !open;
      if (open) this.#fill(item.group, inner, children, pixels, seen);
    }
  }

  #make({ key, level, island }) {
    const li = document.createElement('li');
    li.setAttribute('role', 'treeitem');
    li.tabIndex = -1;
    li.dataset.key = key;
    const row = document.createElement('div');
    row.className = 'row';
    const parts = {};
    for (const name of ['twist', 'swatch', 'name', 'area', 'bar']) {
      parts[name] = document.createElement('span');
      parts[name].className = name;
      row.append(parts[name]);
    }
    parts.swatch.style.background = css(island.id);
    parts.name.textContent = `${this.#names[level] ?? `level ${level}`} ${island.id}`;
    const fill = document.createElement('i');
    parts.bar.append(fill);
    const group = document.createElement('ul');
    group.setAttribute('role', 'group');
    li.append(row, group);
    const item = { li, group, fill, area: parts.area, name: parts.name };
    this.#items.set(key, item);
    return item;
  }

  #show(item, { key, island }, pixels) {
    const area = percent(island.area / pixels);
    const confidence = Math.round(100 * island.confidence);
    if (item.area.textContent !== area) item.area.textContent = area;
    item.fill.style.width = `${confidence}%`;
    // What has the focus keeps its name: a screen reader would say each change of it.
    if (item.li !== document.activeElement) {
      item.li.setAttribute('aria-label', `${item.name.textContent}, ${area} of the picture, confidence ${confidence} %`);
    }
    item.li.setAttribute('aria-selected', String(key === this.#selected));
  }

  // #rove lets the tab key reach one item: the focused, the selected or the first one.
  #rove() {
    const within = this.#root.contains(document.activeElement) && document.activeElement.closest('[role=treeitem]');
    const at = within || this.#items.get(this.#selected)?.li || this.#root.firstElementChild;
    for (const { li } of this.#items.values()) li.tabIndex = li === at ? 0 : -1;
  }

  #pick(li) {
    const [level, id] = li.dataset.key.split(':').map(Number);
    this.#choose(level, id);
  }

  #toggle(li, open) {
    if (!li.hasAttribute('aria-expanded')) return;
    this.#closed.set(li.dataset.key, !open);
    li.setAttribute('aria-expanded', String(open));
    li.lastElementChild.hidden = !open;
  }

  #click(e) {
    const li = e.target.closest('[role=treeitem]');
    if (!li) return;
    if (e.target.closest('.twist')) this.#toggle(li, li.getAttribute('aria-expanded') !== 'true');
    else this.#pick(li);
  }

  #key(e) {
    const li = e.target.closest('[role=treeitem]');
    if (!li || e.ctrlKey || e.altKey || e.metaKey) return;
    const items = [...this.#root.querySelectorAll('[role=treeitem]')].filter((x) => !x.closest('[hidden]'));
    const i = items.indexOf(li);
    const open = li.getAttribute('aria-expanded');
    let to = null;
    switch (e.key) {
      case 'ArrowDown': to = items[i + 1]; break;
      case 'ArrowUp': to = items[i - 1]; break;
      case 'Home': to = items[0]; break;
      case 'End': to = items.at(-1); break;
      case 'ArrowRight':
        if (open === 'false') this.#toggle(li, true);
        else if (open === 'true') to = li.lastElementChild.firstElementChild;
        break;
      case 'ArrowLeft':
        if (open === 'true') this.#toggle(li, false);
        else to = li.parentElement.closest('[role=treeitem]');
        break;
      case 'Enter':
      case ' ': this.#pick(li); break;
      default: return;
    }
    e.preventDefault();
    e.stopPropagation();
    if (to) {
      to.focus();
      this.#rove();
    }
  }
}

/** percent writes a share. */
export function percent(v) {
  const p = 100 * v;
  return `${p < 10 ? p.toFixed(1) : p.toFixed(0)} %`;
}
