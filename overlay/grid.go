package overlay

import (
	"image"

	"glomstream/capture"
)

// Tiles are as large as the source, but no canvas is wider or higher than this. It is the width of
// three pictures of 640 pixels.
const maxCanvas = 1920

// tiles returns how many tiles there are side by side and one above the other: the source and all levels.
func (d *Drawer) tiles() (cols, rows int) {
	n := d.cfg.Levels + 1
	for cols = 1; cols*cols < n; cols++ {
	}
	return cols, (n + cols - 1) / cols
}

// tileSize returns the size of one tile for a source of w by h pixels. Its proportions are kept to the pixel.
func (d *Drawer) tileSize(w, h int) (tw, th int) {
	cols, rows := d.tiles()
	tw, th = w, h
	if m := maxCanvas / cols; tw > m {
		tw, th = m, max((h*m+w/2)/w, 1)
	}
	if m := maxCanvas / rows; th > m {
		tw, th = max((w*m+h/2)/h, 1), m
	}
	return tw, th
}

// Size returns the size of the canvas for frames of w by h pixels: the same, or with Config.All that
// of a grid of tiles, at most 1920 wide and 1920 high.
func (d *Drawer) Size(w, h int) (cw, ch int) {
	if !d.cfg.All || w < 1 || h < 1 {
		return w, h
	}
	cols, rows := d.tiles()
	tw, th := d.tileSize(w, h)
	return cols * tw, rows * th
}

// drawAll draws the source in the first tile and a level in each of the others.
func (d *Drawer) drawAll(canvas *capture.Frame, s *Scene) {
	cols, rows := d.tiles()
	tw, th := d.tileSize(s.Frame.W, s.Frame.H)
	tile := func(i int) capture.Frame {
		at := image.Pt(i%cols*tw, i/cols*th)
		return part(canvas, image.Rect(0, 0, tw, th).Add(at))
	}
	source := tile(0)
	sc := d.scratch.Get().(*scratch)
	defer d.scratch.Put(sc)
	sc.shrink(&source, s.Frame)
	for i := 1; i < cols*rows; i++ {
		t := tile(i)
		if l := i - 1; l < d.cfg.Levels {
			d.drawTile(&t, &source, s, l, sc)
		} else {
			clearFrame(&t)
		}
	}
	drawGaps(canvas, tw, th)
	d.title(&source, "source", "", s.status())
	if d.cfg.View != Islands {
		d.heatLegend(&source)
	}
}

// drawTile draws level l over the source, which is as large as the tile.
func (d *Drawer) drawTile(tile, source *capture.Frame, s *Scene, l int, sc *scratch) {
	var known bool
	if d.cfg.View == Islands {
		labels := level(s.Labels, l)
		known = labels != nil
		d.drawIslands(tile, source, sc.shrinkLabels(labels, s.Frame.W, s.Frame.H, tile.W, tile.H))
	} else {
		v := level(d.values(s), l)
		known = v != nil
		d.drawHeat(tile, source, s, v)
	}
	d.title(tile, d.names[l], note(known), status{})
}

// drawGaps darkens the pixels on both sides of where tiles of tw by th pixels touch.
func drawGaps(canvas *capture.Frame, tw, th int) {
	if min(tw, th) < 64 {
		return
	}
	for y := range canvas.H {
		pix := row(canvas, y)
		if y >= th-1 && y < canvas.H-1 && (y+1)%th <= 1 {
			clear(pix)
		}
		for x := tw; x < canvas.W; x += tw {
			clear(pix[3*(x-1) : 3*(x+1)])
		}
	}
}
