// The server's clock, by which the page can tell how old a picture is although the two clocks differ:
// as in NTP the answer to a ping is taken to be made in the middle between asking and hearing.

const kept = 8;

export class Clock {
  #samples = []; // {trip, offset}, milliseconds

  reset() { this.#samples = []; }

  /** now returns the page's clock in milliseconds since 1970, finer than Date. */
  static now() { return performance.timeOrigin + performance.now(); }

  /** pong takes in an answer: t is when the page asked, time the server's clock in microseconds. */
  pong({ t, time }) {
    const now = Clock.now();
    if (!(t <= now && Number.isFinite(time))) return;
    this.#samples.push({ trip: now - t, offset: time / 1000 - (t + now) / 2 });
    if (this.#samples.length > kept) this.#samples.shift();
  }

  /** age returns how many milliseconds before a time of performance.now the server's time captured was. */
  age(captured, at) {
    if (this.#samples.length === 0 || !captured) return null;
    const best = this.#samples.reduce((a, b) => (b.trip < a.trip ? b : a)); // the quickest one errs least
    return performance.timeOrigin + at + best.offset - captured;
  }
}
