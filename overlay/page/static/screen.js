// The picture: a video, and over it a canvas that shows the same picture with the islands that
// belong to it. The video frame and its islands are drawn in the same step, so that they are never
// apart; the video alone is seen only side by side.

import { Frames } from './frames.js';
import { Painter } from './paint.js';

const small = 480; // columns of a picture up to which it is enlarged

export class Screen {
  #video;
  #canvas;
  #context;
  #panes;
  #painter = new Painter();
  #still = document.createElement('canvas'); // the picture without islands, to draw it again
  #style;
  #drawn = null; // what the canvas shows: {timestamp, meta, exact}
  #on;
  #ahead = null; // a VideoFrame that was seen before it was told of
  #strange = 0; // pictures in a row that could not be told

  frames = new Frames();

  /**
   * style returns {view, opacity, selected: {level, id} or null}. on has video(meta, time) and
   * image(), which are told of new pictures, and blocked(), if the browser wants to be touched first.
   */
  constructor(video, canvas, style, on) {
    this.#video = video;
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false });
    this.#panes = canvas.parentElement;
    this.#style = style;
    this.#on = on;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(this.#callback);
    else this.#poll(-1);
  }

  get drawn() { return this.#drawn; }

  get canvas() { return this.#canvas; }

  play(stream) {
    this.#panes.classList.remove('no-video');
    this.frames.clear();
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    this.resume();
  }

  pause() { this.#video.pause(); }

  resume() {
    this.#video.play().catch((e) => e.name === 'NotAllowedError' && this.#on.blocked());
  }

  /** add takes in a message and draws it if its picture is already shown. */
  add(frame) {
    this.frames.add(frame, performance.now());
    if (this.#drawn?.timestamp === frame.timestamp && !this.#drawn.exact) this.#draw(frame, true);
  }

  /** showImage shows a picture that came by other means, with its islands burnt in. */
  showImage(image) {
    this.#panes.classList.add('no-video');
    this.#keep(image, image.width, image.height);
    this.#drawn = { timestamp: null, meta: null, exact: false };
    this.#context.drawImage(this.#still, 0, 0);
    this.#on.image();
  }

  /** redraw shows the same picture in a new style. */
  redraw() {
    if (this.#drawn) this.#draw(this.#drawn.meta, this.#drawn.exact);
  }

  /** islandAt returns {level, id} of what is seen at a place of the window, or null. */
  islandAt(element, clientX, clientY) {
    const meta = this.#drawn?.meta;
    if (!meta?.labels) return null;
    const box = element.getBoundingClientRect();
    const scale = Math.min(box.width / this.#canvas.width, box.height / this.#canvas.height);
    const u = 0.5 + (clientX - box.left - box.width / 2) / (this.#canvas.width * scale);
    const v = 0.5 + (clientY - box.top - box.height / 2) / (this.#canvas.height * scale);
    if (!(u >= 0 && u < 1 && v >= 0 && v < 1)) return null;
    const { cols, rows, id } = meta.labels;
    const found = id[Math.floor(v * rows) * cols + Math.floor(u * cols)];
    return found ? { level: meta.level, id: found } : null;
  }

  #callback = (now, m) => {
    this.#video.requestVideoFrameCallback(this.#callback);
    const picture = this.#take(m.mediaTime);
    if (!picture) return;
    this.#keep(picture, this.#video.videoWidth, this.#video.videoHeight);
    const timestamp = m.rtpTimestamp ?? null;
    const exact = timestamp === null ? undefined : this.frames.exact(timestamp);
    const meta = exact ?? (timestamp === null ? this.frames.at(m.receiveTime ?? now - 60) : this.frames.nearest(timestamp));
    this.#drawn = { timestamp, meta: null, exact: false };
    this.#draw(meta ?? null, exact !== undefined);
    this.#on.video(meta ?? null, m.expectedDisplayTime ?? now);
    if (picture !== this.#video) picture.close();
  };

  // #take returns the picture of that media time. On a busy machine the callback comes late, and the
  // video shows the next picture already: this one is kept until it is told of in its turn. In
  // browsers without VideoFrame the video itself must do.
  #take(time) {
    if (!globalThis.VideoFrame || this.#strange > 20) return this.#video;
    let now;
    try {
      now = new VideoFrame(this.#video);
    } catch {
      return null; // there is none while the connection changes
    }
    const fits = (f) => f && Math.abs(f.timestamp / 1e6 - time) < 0.0005;
    const ahead = this.#ahead;
    this.#ahead = null;
    if (fits(now)) {
      ahead?.close();
      this.#strange = 0;
      return now;
    }
    this.#ahead = now;
    if (fits(ahead)) {
      this.#strange = 0;
      return ahead;
    }
    ahead?.close();
    this.#strange++; // or this browser counts the time of its pictures in another way
    return null;
  }

  // #poll stands in for requestVideoFrameCallback.
  #poll(last) {
    const v = this.#video;
    if (v.currentTime !== last && v.videoWidth > 0) {
      const now = performance.now();
      this.#keep(v, v.videoWidth, v.videoHeight);
      this.#drawn = { timestamp: null, meta: null, exact: false };
      const meta = this.frames.at(now - 60) ?? null;
      this.#draw(meta, false);
      this.#on.video(meta, now);
    }
    requestAnimationFrame(() => this.#poll(v.currentTime));
  }

  // #keep keeps a picture, a small one enlarged, so that the lines over it are finer than its pixels.
  #keep(image, width, height) {
    const scale = width <= small ? 2 : 1;
    const w = scale * width;
    const h = scale * height;
    for (const c of [this.#still, this.#canvas]) {
      if (c.width !== w || c.height !== h) {
        c.width = w;
        c.height = h;
      }
    }
    this.#panes.classList.add('sized');
    this.#still.getContext('2d', { alpha: false }).drawImage(image, 0, 0, w, h);
  }

  #draw(meta, exact) {
    this.#drawn.meta = meta;
    this.#drawn.exact = exact;
    const { width, height } = this.#canvas;
    this.#context.drawImage(this.#still, 0, 0);
    const { view, opacity, selected } = this.#style();
    if (meta?.labels && view !== 'none') {
      const layer = this.#painter.paint(meta.labels, width, {
        view, opacity,
        selected: selected?.level === meta.level ? selected.id : 0,
        islands: meta.nodes.get(meta.level)?.islands ?? [],
      });
      this.#context.drawImage(layer, 0, 0, width, height);
    }
    this.#canvas.dispatchEvent(new CustomEvent('drawn', { detail: this.#drawn }));
  }
}
