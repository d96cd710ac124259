package page_test

import (
	"image"
	"time"

	"glomstream/capture"
	"glomstream/overlay/meta"
)

// The scene of these tests has W x H pixels. In its upper rows the number of the frame is written in
// bits, black or white; there are no islands. Below, grey, lie the islands of five levels. At level l
// there are 2^(4-l) of them side by side, the first of which ends where the frame's number says; so
// both the picture and its islands tell which frame they belong to.
const (
	sceneW, sceneH = 640, 352
	bitSize        = 32 // pixels, two macroblocks: no neighbours blur it
	bits           = 16
	grey           = 128
	sceneLevels    = 5
)

// border is where the first island of every level ends in frame seq, in pixels.
func border(seq uint64) int { return 10 + int(seq*8%20) }

// idAt returns the island at pixel x, below the bits.
func idAt(level, x int, seq uint64) uint16 {
	n := 1 << (sceneLevels - 1 - level)
	if x < border(seq) {
		return 1
	}
	return uint16(min(1+x*n/sceneW, n)) + 1
}

func paint(f *capture.Frame, seq uint64) {
	f.W, f.H, f.Stride, f.Seq = sceneW, sceneH, 3*sceneW, seq
	if f.Pix == nil {
		f.Pix = make([]byte, 3*sceneW*sceneH)
	}
	for y := range sceneH {
		row := f.Pix[3*sceneW*y:][:3*sceneW]
		for x := range sceneW {
			v := byte(grey)
			if bit := x / bitSize; y < bitSize && bit < bits {
				v = byte(seq>>bit&1) * 255
			}
			row[3*x], row[3*x+1], row[3*x+2] = v, v, v
		}
	}
}

// message tells the islands of frame seq.
func message(seq uint64, timestamp uint32, at time.Time, level int, full bool) meta.Frame {
	f := meta.Frame{
		Timestamp: timestamp, Seq: seq, Captured: at, W: sceneW, H: sceneH, Levels: sceneLevels,
		Level: level, Full: full, FPS: 30, Steps: 1, Unsettled: 0.02,
		Labels: meta.Labels{Cols: 320, Rows: 176, ID: make([]uint16, 320*176)},
	}
	for y := bitSize / 2; y < 176; y++ {
		for x := range 320 {
			f.Labels.ID[y*320+x] = idAt(level, 2*x, seq)
		}
	}
	for l := range sceneLevels {
		if l == level || full {
			f.Nodes = append(f.Nodes, nodes(l, seq))
		}
	}
	return f
}

func nodes(level int, seq uint64) meta.Nodes {
	n := meta.Nodes{Level: level, Nesting: 0.9, Agreement: 0.8}
	for x := 0; x < sceneW; {
		id, from := idAt(level, x, seq), x
		for x < sceneW && idAt(level, x, seq) == id {
			x++
		}
		s := meta.Island{
			ID: id, Area: (x - from) * (sceneH - bitSize), Box: image.Rect(from, bitSize, x, sceneH),
			X: (from + x) / 2, Y: (sceneH + bitSize) / 2, Confidence: 0.5 + 0.4/float64(id), Agreement: 0.8, Nesting: 1, Age: int(seq),
		}
		if level < sceneLevels-1 {
			s.Parent = idAt(level+1, from, seq)
		}
		n.Islands = append(n.Islands, s)
	}
	return n
}
