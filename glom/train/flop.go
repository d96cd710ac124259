package train

// FLOP returns the additions and multiplications of the matrix products that a clip of T frames on
// a grid of rows by cols costs at least: forward once, backward twice that. What is computed again
// on the way back does not count, nor do attention and all that is no matrix product.
func (c Config) FLOP(T, rows, cols int) float64 {
	c = c.withDefaults()
	m, N := c.Model, float64(rows*cols)
	D, H, L := float64(m.Dim), float64(m.Hidden), float64(m.Levels)
	steps := float64(T + c.Settle - 1)
	lossy := float64(T)
	nets := steps * 2 * (L - 1) * 4 * N * D * H
	front := float64(T) * c.FrontEnd.FLOP(rows*cols)
	var losses float64
	if c.Losses.Reconstruction > 0 {
		losses += 2 * N * float64(c.Decoder) * (D + places*rgb)
	}
	S := min(N, contrasts)
	if c.Losses.Object > 0 {
		losses += 2 * S * S * D
	}
	if c.Losses.Part > 0 {
		losses += (L - 2) * 2 * S * S * D
	}
	return 3 * (nets + front + lossy*losses)
}
