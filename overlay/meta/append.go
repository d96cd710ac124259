package meta

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Append appends the message of f to dst. Values are rounded and bounded to what the message can
// hold.
//
// A message takes at most MaxMessage bytes. When it would be longer, detail is left out in this
// order until it fits, and the flag Reduced tells so: first the islands of the other levels, then
// every other column and row of the labels, again and again until none are left, then islands from
// the end of the list. f is not changed.
func Append(dst []byte, f *Frame) ([]byte, error) {
	if err := f.check(); err != nil {
		return dst, fmt.Errorf("append message: %w", err)
	}
	start, limit := len(dst), len(dst)+MaxMessage
	dst = appendHeader(dst, f)
	dst = appendFrame(dst, f)
	head := len(dst)

	own := f.own()
	nodes := 0
	if own != nil {
		nodes = sectionSize + nodesSize + islandSize*len(own.Islands)
	}
	reduced := false
	labels := f.Labels
	for len(labels.ID) > 0 {
		dst = appendLabelSection(dst[:head], &labels)
		if len(dst)+nodes <= limit {
			break
		}
		dst, reduced = dst[:head], true
		labels = labels.halved()
	}
	full := f.Full
	if own != nil {
		n := (limit - len(dst) - sectionSize - nodesSize) / islandSize
		if n < len(own.Islands) {
			reduced = true
		}
		dst = appendNodes(dst, own, n)
	}
	if full {
		end := len(dst)
		for i := range f.Nodes {
			if n := &f.Nodes[i]; n.Level != f.Level {
				dst = appendNodes(dst, n, len(n.Islands))
			}
		}
		if len(dst) > limit || reduced {
			dst, full, reduced = dst[:end], false, true
		}
	}
	dst[start+1] = f.flags(full, reduced)
	return dst, nil
}

func (f *Frame) check() error {
	switch {
	case f.W < 1 || f.H < 1 || f.W > 0xFFFF || f.H > 0xFFFF:
		return fmt.Errorf("frame of %dx%d: want 1x1 to 65535x65535", f.W, f.H)
	case f.Levels < 1 || f.Levels > MaxLevels:
		return fmt.Errorf("frame with %d levels: want 1 to %d", f.Levels, MaxLevels)
	case f.Level < 0 || f.Level >= f.Levels:
		return fmt.Errorf("labels of level %d: there are levels 0 to %d", f.Level, f.Levels-1)
	}
	var seen uint32
	for i := range f.Nodes {
		l := f.Nodes[i].Level
		if l < 0 || l >= f.Levels || seen&(1<<l) != 0 {
			return fmt.Errorf("islands of level %d: no such level, or twice", l)
		}
		seen |= 1 << l
	}
	return f.Labels.check()
}

// own returns the nodes of the labels' level, nil if there are none.
func (f *Frame) own() *Nodes {
	for i := range f.Nodes {
		if f.Nodes[i].Level == f.Level {
			return &f.Nodes[i]
		}
	}
	return nil
}

func (f *Frame) flags(full, reduced bool) (b byte) {
	for _, v := range []struct {
		set  bool
		flag byte
	}{{full, flagFull}, {f.Cut, flagCut}, {f.Stale, flagStale}, {reduced || f.Reduced, flagReduced}} {
		if v.set {
			b |= v.flag
		}
	}
	return b
}

func appendHeader(dst []byte, f *Frame) []byte {
	be := binary.BigEndian
	dst = append(dst, Version, 0)
	dst = be.AppendUint16(dst, headerSize)
	dst = be.AppendUint32(dst, f.Timestamp)
	dst = be.AppendUint64(dst, f.Seq)
	var micros int64
	if !f.Captured.IsZero() {
		micros = max(f.Captured.UnixMicro(), 0)
	}
	return be.AppendUint64(dst, uint64(micros))
}

// appendSection appends the head of a section with a length of 0, to be set by endSection.
func appendSection(dst []byte, kind byte) []byte { return append(dst, kind, 0, 0) }

// endSection sets the length of the section whose head is at dst[at]. One that is too long makes the
// message too long as well, so its length does not matter.
func endSection(dst []byte, at int) []byte {
	binary.BigEndian.PutUint16(dst[at+1:], uint16(len(dst)-at-sectionSize))
	return dst
}

func appendFrame(dst []byte, f *Frame) []byte {
	be := binary.BigEndian
	at := len(dst)
	dst = appendSection(dst, kindFrame)
	dst = be.AppendUint16(dst, uint16(f.W))
	dst = be.AppendUint16(dst, uint16(f.H))
	dst = append(dst, byte(f.Levels), byte(f.Level))
	dst = be.AppendUint16(dst, share(f.Unsettled))
	dst = be.AppendUint16(dst, uint16(bounded(f.FPS*100, 0xFFFF)))
	dst = be.AppendUint32(dst, uint32(min(max(f.Dropped, 0), math.MaxUint32)))
	dst = append(dst, byte(min(max(f.Steps, 0), 0xFF)))
	return endSection(dst, at)
}

func appendLabelSection(dst []byte, l *Labels) []byte {
	be := binary.BigEndian
	at := len(dst)
	dst = appendSection(dst, kindLabels)
	dst = be.AppendUint16(dst, uint16(l.Cols))
	dst = be.AppendUint16(dst, uint16(l.Rows))
	return endSection(appendLabels(dst, l.ID, l.Cols), at)
}

// halved returns every other column and row, none if that were less than 2 each way.
func (l *Labels) halved() Labels {
	h := Labels{Cols: l.Cols / 2, Rows: l.Rows / 2}
	if h.Cols < 2 || h.Rows < 2 {
		return Labels{}
	}
	h.ID = make([]uint16, h.Cols*h.Rows)
	for y := range h.Rows {
		for x := range h.Cols {
			h.ID[y*h.Cols+x] = l.ID[(2*y+1)*l.Cols+2*x+1]
		}
	}
	return h
}

// appendNodes appends the first n islands of a level, all if there are no more.
func appendNodes(dst []byte, l *Nodes, n int) []byte {
	be := binary.BigEndian
	at := len(dst)
	dst = appendSection(dst, kindIslands)
	dst = append(dst, byte(l.Level))
	dst = be.AppendUint16(dst, share(l.Nesting))
	dst = be.AppendUint16(dst, share(l.Agreement))
	for i := range l.Islands[:min(n, len(l.Islands))] {
		s := &l.Islands[i]
		dst = be.AppendUint16(dst, s.ID)
		dst = be.AppendUint16(dst, s.Parent)
		dst = be.AppendUint32(dst, uint32(min(max(s.Area, 0), math.MaxUint32)))
		for _, v := range [...]int{s.Box.Min.X, s.Box.Min.Y, s.Box.Dx(), s.Box.Dy(), s.X, s.Y} {
			dst = be.AppendUint16(dst, uint16(min(max(v, 0), 0xFFFF)))
		}
		dst = be.AppendUint16(dst, share(s.Confidence))
		dst = be.AppendUint16(dst, share(s.Agreement))
		dst = be.AppendUint16(dst, share(s.Nesting))
		dst = be.AppendUint16(dst, uint16(min(max(s.Age, 0), 0xFFFF)))
	}
	return endSection(dst, at)
}

// share turns 0 to 1 into 0 to 10000. What is not a number is 0.
func share(v float64) uint16 { return uint16(bounded(v*unit, unit)) }

// bounded rounds v and bounds it to 0..limit. What is not a number is 0.
func bounded(v, limit float64) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Round(min(v, limit))
}
