package overlay

import (
	"cmp"
	"fmt"
	"slices"

	"glomstream/capture"
	"glomstream/glom/islands"
)

// Tree is the parse tree of a frame, to be drawn. It is only read.
type Tree struct {
	Frame  *capture.Frame
	Labels [][]uint16      // (L) of (H, W) island id of each pixel of Frame, 0 = none
	Levels []islands.Level // (L) as a Linker leaves them
	Title  string          // what stands on top
}

// Sizes of the picture of a tree, in pixels.
const (
	treeMargin   = 28
	treeHead     = 104 // height of title and key
	sideWidth    = 224 // of the column that tells of the levels
	sideGap      = 36
	leastTree    = 760  // width of the rows of cards
	mostTree     = 2240 // room for 28 of the smallest cards
	leastCard    = 72
	mostCard     = 128
	cardGap      = 8
	cardFoot     = 24 // bar and text below a card
	rowGap       = 64 // between two rows, where the lines are
	mostSide     = 140
	sideText     = 30 // above the small picture of a level
	sideFootText = 40 // below it
)

// node is an island with its place in the picture.
type node struct {
	*islands.Island
	level    int
	parent   *node
	children []*node
	slot     float64 // where its middle would best be, of the row's width
	x        float64 // where its middle is, in pixels of the row
}

// pick makes nodes of at most most islands of each level, the largest first, without those whose
// parent is not shown, and hangs them on their parents. The rows are the levels.
func pick(levels []islands.Level, most int) [][]*node {
	rows := make([][]*node, len(levels))
	for l := len(levels) - 1; l >= 0; l-- {
		var all []*node
		for i := range levels[l].Islands {
			n := &node{Island: &levels[l].Islands[i], level: l}
			if l+1 < len(levels) {
				if n.parent = find(rows[l+1], n.Parent); n.parent == nil {
					continue
				}
			}
			all = append(all, n)
		}
		slices.SortStableFunc(all, func(a, b *node) int { return cmp.Compare(b.Area, a.Area) })
		rows[l] = all[:min(len(all), most)]
		for _, n := range rows[l] {
			if n.parent != nil {
				n.parent.children = append(n.parent.children, n)
			}
		}
	}
	return rows
}

func find(row []*node, id uint16) *node {
	for _, n := range row {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// order puts each row into the order of a walk over the tree, so that no two lines cross. Brothers
// stand as in the picture, from left to right. Leaves get slots of equal width, and a parent the
// middle of its children's.
func order(rows [][]*node) {
	if len(rows) == 0 {
		return
	}
	roots := rows[len(rows)-1]
	for l := range rows {
		rows[l] = nil
	}
	leaves := 0.0
	var walk func(nodes []*node)
	walk = func(nodes []*node) {
		slices.SortFunc(nodes, func(a, b *node) int {
			return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y), cmp.Compare(a.ID, b.ID))
		})
		for _, n := range nodes {
			rows[n.level] = append(rows[n.level], n)
			walk(n.children)
			if len(n.children) == 0 {
				n.slot = leaves + 0.5
				leaves++
				continue
			}
			n.slot = (n.children[0].slot + n.children[len(n.children)-1].slot) / 2
		}
	}
	walk(roots)
	for _, row := range rows {
		for _, n := range row {
			n.slot /= leaves
		}
	}
}

// place gives the nodes of a row their places: as near to their slots as can be, by the sum of
// the squares, if they keep their order and a distance of step, in a row of that width. Less i
// times step, the places must not fall, which makes it an isotonic regression: neighbours that
// would, are pooled at their mean.
func place(row []*node, width, step float64) {
	type pool struct {
		sum  float64
		size int
	}
	mean := func(p pool) float64 { return p.sum / float64(p.size) }
	var pools []pool
	for i, n := range row {
		p := pool{n.slot*width - float64(i)*step, 1}
		for k := len(pools) - 1; k >= 0 && mean(pools[k]) > mean(p); k-- {
			p = pool{p.sum + pools[k].sum, p.size + pools[k].size}
			pools = pools[:k]
		}
		pools = append(pools, p)
	}
	i := 0
	for _, p := range pools {
		for range p.size {
			at := min(max(mean(p), step/2), width-(float64(len(row))-0.5)*step)
			row[i].x = at + float64(i)*step
			i++
		}
	}
}

// poster is a tree laid out.
type poster struct {
	rows   [][]*node // the finest level first
	cards  []int     // (L) side of the cards
	width  int       // of the rows
	thumbW int       // size of the small pictures
	thumbH int
}

func layOut(t *Tree) poster {
	p := poster{rows: pick(t.Levels, mostTree/(leastCard+cardGap))}
	order(p.rows)
	widest := 0
	for _, row := range p.rows {
		widest = max(widest, len(row))
	}
	p.width = min(max(widest*(mostCard+cardGap), leastTree), mostTree)
	for _, row := range p.rows {
		card := min(max(p.width/max(len(row), 1)-cardGap, leastCard), mostCard)
		p.cards = append(p.cards, card)
		place(row, float64(p.width), float64(card+cardGap))
	}
	p.thumbW, p.thumbH = fit(t.Frame.W, t.Frame.H, sideWidth, mostSide)
	return p
}

// fit returns the largest size with the proportions of w by h inside of the other.
func fit(w, h, intoW, intoH int) (int, int) {
	if w*intoH > h*intoW {
		return intoW, max(h*intoW/w, 1)
	}
	return max(w*intoH/h, 1), intoH
}

// height of a row, without the gap below.
func (p *poster) height() int {
	return max(sideText+p.thumbH+sideFootText, mostCard+cardFoot)
}

// top returns the upper edge of the row of a level; the highest level is on top.
func (p *poster) top(level int) int {
	return treeMargin + treeHead + (len(p.rows)-1-level)*(p.height()+rowGap)
}

// size returns the size of the whole picture.
func (p *poster) size() (w, h int) {
	return 2*treeMargin + sideWidth + sideGap + p.width, p.top(0) + p.height() + treeMargin
}

// card returns the left and the upper edge of a node's card.
func (p *poster) card(n *node) (x, y int) {
	side := p.cards[n.level]
	x = treeMargin + sideWidth + sideGap + int(n.x) - side/2
	return x, p.top(n.level) + (p.height()-side-cardFoot)/2
}

// Tree draws a parse tree as a picture of its own, a row per level with the highest on top. Each
// island is a card: the part of the frame around it with what does not belong to it dimmed, its
// confidence as a bar, and a line to its parent, the thicker the higher its nesting. Of levels
// that have more islands than a row has room for, the largest are shown.
//
// The picture is about 2500 by 1400 pixels for the usual five levels. It takes some tenths of a
// second and memory of its own, so it is not for every frame of a video. Tree panics if sizes do
// not fit together.
func (d *Drawer) Tree(t *Tree) capture.Frame {
	checkFrame("frame", t.Frame)
	if len(t.Levels) != d.cfg.Levels || len(t.Labels) != d.cfg.Levels {
		panic(fmt.Sprintf("overlay: tree has %d levels and labels of %d, Config.Levels is %d", len(t.Levels), len(t.Labels), d.cfg.Levels))
	}
	for l, labels := range t.Labels {
		if len(labels) != t.Frame.W*t.Frame.H {
			panic(fmt.Sprintf("overlay: labels of level %d have length %d, want %dx%d", l, len(labels), t.Frame.W, t.Frame.H))
		}
	}
	p := layOut(t)
	w, h := p.size()
	canvas := capture.Frame{Seq: t.Frame.Seq, PTS: t.Frame.PTS, Captured: t.Frame.Captured, W: w, H: h, Stride: 3 * w, Pix: make([]byte, 3*w*h)}
	d.paintTree(&canvas, t, &p)
	return canvas
}
