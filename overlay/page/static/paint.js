// Draws islands from a map of labels, as the Go package overlay does: a fill, and along every change
// of label a dark line beside a light one inside the islands, so that one of them shows on any
// picture.

import { colour, heat, mix } from './palette.js';

const lineAlpha = 217; // 0.85
const darkKeep = 64; // of 256: how much of the island's colour the dark line keeps
const lightKeep = 96;
const finest = 960; // columns to which labels are smoothed at most
const dimmed = 0.35; // how strong the others are when an island is selected

const ids = 1 << 16;
const rgba = ([r, g, b], a) => ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;

export class Painter {
  #canvas = document.createElement('canvas');
  #context = this.#canvas.getContext('2d');
  #image = null;
  #maps = []; // memory of the doubled maps
  #fill = new Uint32Array(ids); // colour by id
  #dark = new Uint32Array(ids);
  #light = new Uint32Array(ids);
  #key = '';

  /**
   * paint draws the labels for a picture of w columns and returns a canvas, which is valid until the
   * next call. view is islands, outlines or confidence; selected is an id, 0 for none.
   */
  paint(labels, w, { view, opacity, selected, islands }) {
    this.#style(view, opacity, selected, islands);
    let map = labels;
    for (let i = 0; map.cols < w && 2 * map.cols <= finest; i++) map = this.#double(map, i);
    const { cols, rows } = map;
    if (!this.#image || this.#canvas.width !== cols || this.#canvas.height !== rows) {
      this.#canvas.width = cols;
      this.#canvas.height = rows;
      this.#image = this.#context.createImageData(cols, rows);
    }
    this.#raster(map, new Uint32Array(this.#image.data.buffer));
    this.#context.putImageData(this.#image, 0, 0);
    return this.#canvas;
  }

  #raster({ cols, rows, id }, out) {
    const fill = this.#fill;
    const dark = this.#dark;
    const light = this.#light;
    for (let y = 0, i = 0; y < rows; y++) {
      const up = y > 0 ? cols : 0;
      const down = y < rows - 1 ? cols : 0;
      for (let x = 0; x < cols; x++, i++) {
        const v = id[i];
        if (v !== id[i + down] || (x < cols - 1 && v !== id[i + 1])) out[i] = dark[v];
        else if (v !== id[i - up] || (x > 0 && v !== id[i - 1])) out[i] = light[v];
        else out[i] = fill[v];
      }
    }
  }

  // #double doubles a map; a corner takes the label that both its sides have (Scale2x), so that
  // slanting borders have no steps.
  #double({ cols, rows, id }, k) {
    const w = 2 * cols;
    if (this.#maps[k]?.length !== 4 * cols * rows) this.#maps[k] = new Uint16Array(4 * cols * rows);
    const out = this.#maps[k];
    for (let y = 0, i = 0; y < rows; y++) {
      let o = 2 * y * w;
      for (let x = 0; x < cols; x++, i++, o += 2) {
        const e = id[i];
        const b = y > 0 ? id[i - cols] : e;
        const h = y < rows - 1 ? id[i + cols] : e;
        const d = x > 0 ? id[i - 1] : e;
        const f = x < cols - 1 ? id[i + 1] : e;
        const corners = b !== h && d !== f;
        out[o] = corners && d === b ? d : e;
        out[o + 1] = corners && b === f ? f : e;
        out[o + w] = corners && d === h ? d : e;
        out[o + w + 1] = corners && h === f ? f : e;
      }
    }
    return { cols: w, rows: 2 * rows, id: out };
  }

  // #style prepares the colours by id. Those of the palette depend on the id alone.
  #style(view, opacity, selected, islands) {
    const set = (id, c, only) => {
      const strength = selected && id !== selected ? dimmed : 1;
      const lines = selected && id === selected ? 255 : Math.round(lineAlpha * strength);
      this.#fill[id] = only ? 0 : rgba(c, Math.round(255 * opacity * strength));
      this.#dark[id] = rgba(mix([0, 0, 0], c, darkKeep), lines);
      this.#light[id] = rgba(id === selected ? [255, 255, 255] : mix([255, 255, 255], c, lightKeep), lines);
    };
    const key = [view, opacity, selected].join();
    if (key !== this.#key) {
      this.#key = key;
      for (let id = 1; id < ids; id++) set(id, colour(id), view === 'outlines');
    }
    if (view === 'confidence') for (const s of islands) set(s.id, heat(s.confidence), false);
  }
}
