// Motion JPEG (multipart/x-mixed-replace), read by hand: an <img> could neither send the token nor
// tell when a picture is new.

const largest = 8 << 20; // bytes of a part
const decoder = new TextDecoder('latin1');

const first = 500; // milliseconds until the first new try
const longest = 10000;

/**
 * keepPlaying gives each picture to show, an async function of a Blob, and connects anew when the
 * stream breaks, until it is aborted. It throws only if the server refuses the token, which the
 * function token returns.
 */
export async function keepPlaying(url, token, signal, show) {
  let wait = first;
  const shown = async (blob) => {
    wait = first;
    await show(blob);
  };
  while (!signal.aborted) {
    try {
      await play(url, token(), signal, shown);
    } catch (e) {
      if (!signal.aborted && (e.status === 401 || e.status === 403)) throw e;
    }
    await new Promise((resolve) => { setTimeout(resolve, wait); });
    wait = Math.min(2 * wait, longest);
  }
}

async function play(url, token, signal, show) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const r = await fetch(url, { headers, signal, cache: 'no-store' });
  if (!r.ok) throw Object.assign(new Error(`the server answered ${r.status}`), { status: r.status });
  const boundary = /boundary="?([^";]+)/i.exec(r.headers.get('Content-Type') ?? '')?.[1];
  if (!boundary) throw new Error('no motion JPEG');
  const reader = r.body.getReader();
  let data = new Uint8Array(0);
  const more = async () => {
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream of pictures ended');
    const joined = new Uint8Array(data.length + value.length);
    joined.set(data);
    joined.set(value, data.length);
    data = joined;
    if (data.length > largest) throw new Error('a picture is too large');
  };
  const ends = new TextEncoder().encode(`\r\n--${boundary.replace(/^--/, '')}`);
  for (;;) {
    let body;
    while ((body = find(data, [13, 10, 13, 10], 0)) < 0) await more();
    const head = decoder.decode(data.subarray(0, body));
    body += 4;
    const length = Number(/content-length:\s*(\d+)/i.exec(head)?.[1] ?? -1);
    let end = body + length;
    if (length >= 0) {
      if (length > largest) throw new Error('a picture is too large');
      while (data.length < end) await more();
    } else {
      while ((end = find(data, ends, body)) < 0) await more();
    }
    await show(new Blob([data.slice(body, end)], { type: 'image/jpeg' }));
    data = data.slice(end);
  }
}

function find(data, what, from) {
  for (let i = from; i + what.length <= data.length; i++) {
    let k = 0;
    while (k < what.length && data[i + k] === what[k]) k++;
    if (k === what.length) return i;
  }
  return -1;
}
