// What came over the channel "meta", kept until the picture of the same frame is shown. The two
// take different ways: a message may come before its picture, after it, or not at all.

const kept = 128;
const near = 22500; // a quarter of a second, in 1/90000 s

export class Frames {
  #byTimestamp = new Map(); // in the order of arrival
  #latest = null;

  /** add keeps a message that came at a time of the page's clock. */
  add(frame, now) {
    frame.arrived = now;
    this.#byTimestamp.set(frame.timestamp, frame);
    if (this.#byTimestamp.size > kept) this.#byTimestamp.delete(this.#byTimestamp.keys().next().value);
    if (!this.#latest || ((frame.timestamp - this.#latest.timestamp) | 0) > 0) this.#latest = frame;
    else if (now - this.#latest.arrived > 2000) this.#latest = frame; // the server began anew
  }

  clear() {
    this.#byTimestamp.clear();
    this.#latest = null;
  }

  get latest() { return this.#latest; }

  /** exact returns the message of that picture, or undefined. */
  exact(timestamp) { return this.#byTimestamp.get(timestamp); }

  /** nearest returns the message of the picture nearest to that one, if one is near enough. */
  nearest(timestamp) {
    return this.#closest((f) => Math.abs((f.timestamp - timestamp) | 0), near);
  }

  /** at returns the message that came nearest to that time, for browsers that do not tell time stamps. */
  at(time) {
    return this.#closest((f) => Math.abs(f.arrived - time), 250);
  }

  #closest(distance, limit) {
    let best;
    for (const f of this.#byTimestamp.values()) {
      const d = distance(f);
      if (d <= limit) {
        limit = d;
        best = f;
      }
    }
    return best;
  }
}
