// Numbers of the connection, from RTCPeerConnection.getStats.

export class Stats {
  #last = null; // {time, bytes, lost, received, delay, emitted}

  reset() { this.#last = null; }

  /** read turns a report into rows of [name, text]; latency is in milliseconds or null. */
  read(report, latency, frame) {
    const by = (type, test = () => true) => [...report.values()].find((s) => s.type === type && test(s));
    const video = by('inbound-rtp', (s) => s.kind === 'video');
    if (!video) return [];
    const transport = by('transport');
    const pair = report.get(transport?.selectedCandidatePairId) ?? by('candidate-pair', (s) => s.nominated);
    const now = {
      time: video.timestamp, bytes: video.bytesReceived, lost: video.packetsLost, received: video.packetsReceived,
      delay: video.jitterBufferDelay, emitted: video.jitterBufferEmittedCount,
    };
    const was = this.#last;
    this.#last = now;
    const since = (name) => (was ? now[name] - was[name] : NaN);
    const packets = since('received') + since('lost');
    const rows = [
      ['Latency', milliseconds(latency)],
      ['Round trip', milliseconds(pair?.currentRoundTripTime * 1000)],
      ['Jitter buffer', milliseconds(since('delay') / since('emitted') * 1000)],
      ['Frames', `${number(video.framesPerSecond, 0)} /s`],
      ['Bit rate', bits(since('bytes') * 8 / (since('time') / 1000))],
      ['Packets lost', `${video.packetsLost} (${number(100 * since('lost') / packets, 1)} %)`],
      ['Frames dropped', `${video.framesDropped ?? 0}`],
      ['Freezes', `${video.freezeCount ?? 0}`],
      ['Codec', codec(report.get(video.codecId), video)],
      ['Path', path(report, pair)],
    ];
    if (frame) {
      rows.push(
        ['Settled by server', `${number(frame.fps, 1)} frames/s`],
        ['Dropped by server', `${frame.dropped}`],
        ['Frame number', `${frame.seq}`],
      );
    }
    return rows;
  }
}

function number(v, digits) { return Number.isFinite(v) ? v.toFixed(digits) : '–'; }

function milliseconds(v) { return Number.isFinite(v) ? `${v.toFixed(v < 10 ? 1 : 0)} ms` : '–'; }

function bits(v) {
  if (!Number.isFinite(v)) return '–';
  return v < 1e6 ? `${(v / 1e3).toFixed(0)} kbit/s` : `${(v / 1e6).toFixed(2)} Mbit/s`;
}

function codec(c, video) {
  const name = c?.mimeType?.replace('video/', '') ?? '–';
  return video.frameWidth ? `${name} ${video.frameWidth}×${video.frameHeight}` : name;
}

function path(report, pair) {
  const local = report.get(pair?.localCandidateId);
  const remote = report.get(pair?.remoteCandidateId);
  if (!local || !remote) return '–';
  return `${remote.protocol ?? local.protocol}, ${local.candidateType} to ${remote.candidateType}`;
}
