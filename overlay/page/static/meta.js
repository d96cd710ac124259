// The messages of the data channel "meta". The Go package overlay/meta documents the form.

const unit = 10000;
const maxCells = 1 << 18;
const islandSize = 28;

/** parse reads one message, an ArrayBuffer. It throws on a broken one. */
export function parse(buffer) {
  const d = new DataView(buffer);
  if (d.byteLength < 24 || d.getUint8(0) !== 1) throw new Error('message: unknown version');
  const flags = d.getUint8(1);
  const f = {
    full: (flags & 1) !== 0,
    cut: (flags & 2) !== 0,
    stale: (flags & 4) !== 0,
    reduced: (flags & 8) !== 0,
    timestamp: d.getUint32(4),
    seq: Number(d.getBigUint64(8)),
    captured: Number(d.getBigUint64(16)) / 1000, // milliseconds since 1970
    nodes: new Map(), // level → {nesting, agreement, islands}
    labels: null,
  };
  for (let at = d.getUint16(2); at < d.byteLength;) {
    const kind = d.getUint8(at);
    const n = d.getUint16(at + 1);
    const section = new DataView(buffer, at + 3, n);
    if (kind === 1) readFrame(f, section);
    if (kind === 2) f.labels = readLabels(section);
    if (kind === 3) readNodes(f, section);
    at += 3 + n;
  }
  if (!f.levels) throw new Error('message: tells nothing of the frame');
  return f;
}

function readFrame(f, d) {
  f.w = d.getUint16(0);
  f.h = d.getUint16(2);
  f.levels = d.getUint8(4);
  f.level = d.getUint8(5);
  f.unsettled = d.getUint16(6) / unit;
  f.fps = d.getUint16(8) / 100;
  f.dropped = d.getUint32(10);
  f.steps = d.getUint8(14);
}

function readNodes(f, d) {
  const islands = [];
  for (let i = 5; i + islandSize <= d.byteLength; i += islandSize) {
    islands.push({
      id: d.getUint16(i), parent: d.getUint16(i + 2), area: d.getUint32(i + 4),
      x: d.getUint16(i + 8), y: d.getUint16(i + 10), w: d.getUint16(i + 12), h: d.getUint16(i + 14),
      cx: d.getUint16(i + 16), cy: d.getUint16(i + 18),
      confidence: d.getUint16(i + 20) / unit, agreement: d.getUint16(i + 22) / unit,
      nesting: d.getUint16(i + 24) / unit, age: d.getUint16(i + 26),
    });
  }
  f.nodes.set(d.getUint8(0), { nesting: d.getUint16(1) / unit, agreement: d.getUint16(3) / unit, islands });
}

function readLabels(d) {
  const cols = d.getUint16(0);
  const rows = d.getUint16(2);
  const size = cols * rows;
  if (size < 1 || size > maxCells) throw new Error('labels: too many');
  const id = new Uint16Array(size);
  let at = 4;
  const varint = () => {
    let v = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const b = d.getUint8(at++);
      v |= (b & 127) << shift;
      if (b < 128) return v;
    }
    throw new Error('labels: number too large');
  };
  for (let i = 0; i < size;) {
    const b = d.getUint8(at++);
    let n = b & 63;
    if (n === 63) n += varint();
    const end = i + n + 1;
    if (end > size) throw new Error('labels: run too long');
    const source = b >> 6;
    if (source === 0) { // from the cells above
      if (i < cols) throw new Error('labels: nothing above');
      for (; i < end; i++) id[i] = id[i - cols];
      continue;
    }
    let label;
    if (source === 1 && i > 0) label = id[i - 1]; // from the one before
    else if (source === 2 && i >= cols) label = toTheRight(id, i, cols);
    else if (source === 3) label = varint();
    else throw new Error('labels: nothing before');
    id.fill(label, i, end);
    i = end;
  }
  return { cols, rows, id };
}

// toTheRight returns the first label after the cell above i that differs from that cell's.
function toTheRight(id, i, cols) {
  const above = id[i - cols];
  for (let k = i - cols + 1; k < i; k++) if (id[k] !== above) return id[k];
  throw new Error('labels: nothing to the right');
}
