// The colours of islands and of the heat map. They are those of the Go package overlay, and a test
// holds the two against each other.

const islands = [
  0xCC79A7, 0xE69F00, 0x0072B2, 0x009E73, 0xD55E00, 0x56B4E9, 0xF0E442, 0x8B3A7E,
  0xEE6677, 0x1A6626, 0xE08640, 0xCC8FC2, 0xE0D68F, 0x007756, 0x66C5AB, 0x228833,
  0xBF73B3, 0xF0C566, 0xD9664D, 0xA65980, 0xF28C99, 0xA04700, 0xB34D59, 0xE69E66,
];

const viridis = [
  0x440154, 0x482878, 0x3E4A89, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6DCD59, 0xB4DE2C, 0xFDE725,
];

const split = (c) => [c >> 16, (c >> 8) & 255, c & 255];

/** colour returns [r, g, b] of the island with that id, which is not 0. */
export function colour(id) {
  return split(islands[(id - 1) % islands.length]);
}

/** css returns the same for a style sheet. */
export function css(id) {
  return `rgb(${colour(id).join(' ')})`;
}

/** mix puts weight/256 of b over a, rounded to nearest. */
export function mix(a, b, weight) {
  return a.map((v, i) => (v * (256 - weight) + b[i] * weight + 128) >> 8);
}

/** heat returns the colour of a value from 0 to 1; what is not a number counts as 0. */
export function heat(value) {
  const v = value > 0 ? Math.floor(Math.min(value, 1) * 255 + 0.5) : 0;
  const last = viridis.length - 1;
  const i = Math.min(Math.floor(v * last / 255), last - 1);
  return mix(split(viridis[i]), split(viridis[i + 1]), Math.floor(256 * (v * last - i * 255) / 255));
}
