// One viewer's connection by WHEP (draft-ietf-wish-whep), which mends itself: whatever breaks, it
// tries again, slower and slower up to every ten seconds.

const first = 500; // milliseconds until the first new try
const longest = 10000;
const patience = 8000; // for a connection to come up
const unsteady = 2500; // how long a connection may be disconnected
const triesBeforeFallback = 2;

/** Refused is an answer of the server that trying again does not change. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Session {
  #url;
  #token;
  #on;
  #try = null; // the connection being made or used
  #failures = 0; // in a row
  #unplayed = 0; // of them, connections that a server agreed to but that gave no picture
  #timer = 0;
  #stopped = true;

  /**
   * on has state(name, detail), stream(MediaStream), meta(ArrayBuffer) and control(object). The
   * states are connecting, connected, waiting (detail: {error, seconds}), denied and unplayable.
   */
  constructor(url, token, on) {
    this.#url = url;
    this.#token = token;
    this.#on = on;
  }

  set token(value) { this.#token = value; }

  get stopped() { return this.#stopped; }

  /** start connects now, also when the next try is due only later. */
  start() {
    this.#stopped = false;
    clearTimeout(this.#timer);
    this.#drop();
    this.#connect();
  }

  /** stop ends the session at the server too. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** played tells that pictures arrive. */
  played() {
    this.#failures = 0;
    this.#unplayed = 0;
  }

  /** fail gives the connection up for a reason that only the page can see. */
  fail(reason) {
    if (this.#try) this.#failed(this.#try, new Error(reason));
  }

  /** send sends a command and tells whether it could. */
  send(command) {
    const c = this.#try?.control;
    if (c?.readyState !== 'open') return false;
    c.send(JSON.stringify(command));
    return true;
  }

  stats() { return this.#try?.pc?.getStats() ?? Promise.resolve(null); }

  async #connect() {
    const t = { pc: null, control: null, location: null, agreed: false };
    this.#try = t;
    this.#on.state('connecting');
    t.timer = setTimeout(() => this.#failed(t, new Error('no connection within eight seconds')), patience);
    try {
      const iceServers = await this.#iceServers();
      if (this.#try !== t) return;
      this.#open(t, iceServers);
      await t.pc.setLocalDescription(await t.pc.createOffer());
      if (iceServers.length > 0) await gathered(t.pc);
      await this.#exchange(t);
    } catch (error) {
      this.#failed(t, error);
    }
  }

  // #iceServers asks which servers help to connect. None are needed in the same network.
  async #iceServers() {
    const r = await this.#fetch(this.#url, { method: 'OPTIONS' });
    return links(r.headers.get('Link') ?? '');
  }

  #open(t, iceServers) {
    if (!globalThis.RTCPeerConnection) throw new Refused(0, 'this browser has no WebRTC');
    const pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
    t.pc = pc;
    const { receiver } = pc.addTransceiver('video', { direction: 'recvonly' });
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    pc.ontrack = (e) => this.#try === t && this.#on.stream(e.streams[0] ?? new MediaStream([e.track]));
    t.control = pc.createDataChannel('control', { negotiated: true, id: 0 });
    t.control.onmessage = (e) => this.#try === t && this.#receive(e.data);
    t.control.onopen = () => this.#connected(t);
    t.control.onclose = () => this.#failed(t, new Error('the server closed the connection'));
    const meta = pc.createDataChannel('meta', { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 });
    meta.binaryType = 'arraybuffer';
    meta.onmessage = (e) => this.#try === t && e.data instanceof ArrayBuffer && this.#on.meta(e.data);
    pc.onconnectionstatechange = () => this.#watch(t);
  }

  #connected(t) {
    if (this.#try !== t) return;
    clearTimeout(t.timer);
    this.#on.state('connected');
  }

  #watch(t) {
    clearTimeout(t.unsteady);
    switch (t.pc.connectionState) {
      case 'failed':
      case 'closed':
        this.#failed(t, new Error('the connection broke'));
        break;
      case 'disconnected':
        t.unsteady = setTimeout(() => this.#failed(t, new Error('the network is gone')), unsteady);
    }
  }

  async #exchange(t) {
    const r = await this.#fetch(this.#url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: t.pc.localDescription.sdp,
    });
    if (r.status !== 201) throw await refusal(r);
    const location = r.headers.get('Location');
    if (location) t.location = new URL(location, r.url);
    t.agreed = true;
    const sdp = await r.text();
    if (this.#try !== t) {
      this.#end(t); // given up in the meantime
      return;
    }
    await t.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  #receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not ours
    }
    this.#on.control(message);
  }

  #failed(t, error) {
    if (this.#try !== t) return;
    this.#drop();
    if (this.#stopped) return;
    this.#failures++;
    if (t.agreed) this.#unplayed++;
    const status = error.status;
    if (status === 401 || status === 403) {
      this.#on.state('denied', { error });
      return;
    }
    if (error instanceof Refused && !error.retry || this.#unplayed >= triesBeforeFallback) {
      this.#unplayed = 0;
      this.#on.state('unplayable', { error });
      return;
    }
    const wait = Math.min(longest, first * 2 ** (this.#failures - 1)) * (0.75 + 0.5 * Math.random());
    const delay = Math.max(wait, Math.min(error.retry ?? 0, 60) * 1000);
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#on.state('waiting', { error, seconds: Math.ceil(delay / 1000) });
  }

  #drop() {
    const t = this.#try;
    this.#try = null;
    if (!t) return;
    clearTimeout(t.timer);
    clearTimeout(t.unsteady);
    this.#end(t);
    if (!t.pc) return;
    t.pc.onconnectionstatechange = null;
    t.pc.close();
  }

  #end(t) {
    if (!t.location) return;
    fetch(t.location, { method: 'DELETE', headers: this.#headers(), keepalive: true }).catch(() => {});
    t.location = null;
  }

  #headers() {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  // #fetch is not aborted with the try: a session that was agreed to late must still be ended.
  #fetch(url, options) {
    const headers = { ...options.headers, ...this.#headers() };
    return fetch(url, { ...options, headers, signal: AbortSignal.timeout(patience), cache: 'no-store' });
  }
}

// refusal makes an error of an answer, whose body is RFC 9457's problem JSON or text.
async function refusal(r) {
  const body = (await r.text()).slice(0, 500);
  let text = body;
  try {
    const p = JSON.parse(body);
    text = p.detail ?? p.title ?? body;
  } catch {
    // plain text
  }
  const error = new Refused(r.status, text || `the server answered ${r.status}`);
  const seconds = Number(r.headers.get('Retry-After'));
  if (seconds > 0) error.retry = seconds;
  else if (r.status === 409 || r.status === 429 || r.status >= 500) error.retry = 1;
  return error;
}

// gathered waits for the candidates, one second at most.
function gathered(pc) {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    pc.onicecandidate = (e) => e.candidate === null && resolve();
  });
}

/** links returns the ICE servers of a Link header. */
export function links(header) {
  const servers = [];
  const link = /<([^>]*)>((?:\s*;\s*[\w-]+(?:=(?:"(?:[^"\\]|\\.)*"|[^",;\s]*))?)*)/g;
  for (const [, urls, parameters] of header.matchAll(link)) {
    if (!/^(?:stun|turn)s?:/.test(urls) || !/;\s*rel="?ice-server"?/.test(parameters)) continue;
    const value = (name) => new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(parameters)?.[1].replace(/\\(.)/g, '$1');
    const server = { urls };
    if (value('username') !== undefined) Object.assign(server, { username: value('username'), credential: value('credential') });
    servers.push(server);
  }
  return servers;
}
