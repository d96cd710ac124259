package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"time"
)

// Parse reads a message. It keeps nothing of b.
func Parse(b []byte) (Frame, error) {
	f, err := parse(b)
	if err != nil {
		return Frame{}, fmt.Errorf("parse message: %w", err)
	}
	return f, nil
}

func parse(b []byte) (f Frame, err error) {
	be := binary.BigEndian
	if len(b) > MaxMessage {
		return f, fmt.Errorf("%d bytes: more than %d", len(b), MaxMessage)
	}
	if len(b) < headerSize {
		return f, fmt.Errorf("header: %d bytes, want %d", len(b), headerSize)
	}
	if b[0] != Version {
		return f, fmt.Errorf("version %d: unknown", b[0])
	}
	header := int(be.Uint16(b[2:]))
	if header < headerSize || header > len(b) {
		return f, fmt.Errorf("header of %d bytes in %d", header, len(b))
	}
	flags := b[1]
	f.Full, f.Cut = flags&flagFull != 0, flags&flagCut != 0
	f.Stale, f.Reduced = flags&flagStale != 0, flags&flagReduced != 0
	f.Timestamp = be.Uint32(b[4:])
	f.Seq = be.Uint64(b[8:])
	if micros := be.Uint64(b[16:]); micros > 1<<53 {
		return f, fmt.Errorf("time of capture %d: too large", micros)
	} else if micros > 0 {
		f.Captured = time.UnixMicro(int64(micros)).UTC()
	}
	for b = b[header:]; len(b) > 0; {
		if len(b) < sectionSize {
			return f, errors.New("section: cut off")
		}
		kind, n := b[0], int(be.Uint16(b[1:]))
		if b = b[sectionSize:]; n > len(b) {
			return f, fmt.Errorf("section %d: cut off", kind)
		}
		if err := f.parseSection(kind, b[:n]); err != nil {
			return f, err
		}
		b = b[n:]
	}
	if f.Levels == 0 {
		return f, errors.New("frame: no such section")
	}
	return f, nil
}

func (f *Frame) parseSection(kind byte, b []byte) error {
	switch {
	case kind == kindFrame:
		return f.parseFrame(b)
	case kind > kindIslands:
		return nil
	case f.Levels == 0:
		return errors.New("frame: not the first section")
	case kind == kindLabels:
		return f.parseLabels(b)
	case kind == kindIslands:
		return f.parseNodes(b)
	}
	return errors.New("section 0: unknown")
}

func (f *Frame) parseFrame(b []byte) error {
	be := binary.BigEndian
	if len(b) < frameSize || f.Levels > 0 {
		return fmt.Errorf("frame: %d bytes, want %d, once", len(b), frameSize)
	}
	f.W, f.H = int(be.Uint16(b)), int(be.Uint16(b[2:]))
	f.Levels, f.Level = int(b[4]), int(b[5])
	f.FPS = float64(be.Uint16(b[8:])) / 100
	f.Dropped = int(be.Uint32(b[10:]))
	f.Steps = int(b[14])
	if err := parseShares(b[6:], &f.Unsettled); err != nil {
		return err
	}
	return f.check()
}

func (f *Frame) parseLabels(b []byte) error {
	be := binary.BigEndian
	if len(b) < labelsSize || f.Labels.ID != nil {
		return fmt.Errorf("labels: %d bytes, want at least %d, once", len(b), labelsSize)
	}
	cols, rows := int(be.Uint16(b)), int(be.Uint16(b[2:]))
	if cols < 1 || rows < 1 || cols*rows > MaxCells {
		return fmt.Errorf("labels of %dx%d: want 1 to %d in all", cols, rows, MaxCells)
	}
	f.Labels = Labels{cols, rows, make([]uint16, cols*rows)}
	return parseLabels(f.Labels.ID, cols, b[labelsSize:])
}

func (f *Frame) parseNodes(b []byte) error {
	be := binary.BigEndian
	if len(b) < nodesSize || (len(b)-nodesSize)%islandSize != 0 {
		return fmt.Errorf("islands: %d bytes, want %d and a multiple of %d", len(b), nodesSize, islandSize)
	}
	n := Nodes{Level: int(b[0])}
	if err := parseShares(b[1:], &n.Nesting, &n.Agreement); err != nil {
		return err
	}
	for b = b[nodesSize:]; len(b) > 0; b = b[islandSize:] {
		s := Island{ID: be.Uint16(b), Parent: be.Uint16(b[2:]), Area: int(be.Uint32(b[4:]))}
		at := func(i int) int { return int(be.Uint16(b[i:])) }
		s.Box.Min = image.Pt(at(8), at(10))
		s.Box.Max = s.Box.Min.Add(image.Pt(at(12), at(14)))
		s.X, s.Y = at(16), at(18)
		s.Age = at(26)
		if err := parseShares(b[20:], &s.Confidence, &s.Agreement, &s.Nesting); err != nil {
			return err
		}
		n.Islands = append(n.Islands, s)
	}
	f.Nodes = append(f.Nodes, n)
	return f.check()
}

// parseShares reads one share after the other.
func parseShares(b []byte, to ...*float64) error {
	for i, v := range to {
		u := binary.BigEndian.Uint16(b[2*i:])
		if u > unit {
			return fmt.Errorf("share of %d/%d: more than 1", u, unit)
		}
		*v = float64(u) / unit
	}
	return nil
}
