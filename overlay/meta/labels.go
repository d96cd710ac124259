package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Labels is a map of the islands of a level, as fine as it need be for drawing. The zero value has
// no labels.
//
// It is sent as runs in the order of a scan. A run begins with a byte: two bits say where its label
// comes from, six how long it is, less 1; if those are 63, an unsigned varint follows, to be added.
//
//	0  each cell has the label of the one above it
//	1  all have the label of the cell before the run
//	2  all have the first label, from the cell above the run's first onwards, that differs from that cell's
//	3  all have the label that follows as an unsigned varint
//
// So a border that goes straight down costs nothing and one that moves sideways two bytes a row.
type Labels struct {
	Cols, Rows int
	ID         []uint16 // (Rows, Cols) island at each cell; 0 is none
}

// Where the label of a run comes from.
const (
	fromAbove = iota
	fromBefore
	fromRight
	fromCode
)

const shortRun = 63 // runs of more cells have a varint

// Sample sets the labels to those of every pixel (h, w), or to a picture of at most cols columns of
// the same shape, each cell with the label of the pixel at its middle. Memory of l is used again.
// It panics on a shape that does not fit.
func (l *Labels) Sample(labels []uint16, w, h, cols int) {
	if w < 1 || h < 1 || cols < 1 || len(labels) != w*h {
		panic("meta: Sample: shapes do not fit")
	}
	cols = min(cols, w)
	rows := max((h*cols+w/2)/w, 1)
	if cols*rows > MaxCells {
		panic("meta: Sample: more than MaxCells labels")
	}
	l.Cols, l.Rows = cols, rows
	if cap(l.ID) < cols*rows {
		l.ID = make([]uint16, cols*rows)
	}
	l.ID = l.ID[:cols*rows]
	for y := range rows {
		from := labels[(2*y+1)*h/(2*rows)*w:][:w]
		to := l.ID[y*cols:][:cols]
		for x := range to {
			to[x] = from[(2*x+1)*w/(2*cols)]
		}
	}
}

func (l *Labels) check() error {
	if l.Cols < 0 || l.Rows < 0 || l.Cols > 0xFFFF || l.Rows > 0xFFFF || l.Cols*l.Rows > MaxCells {
		return fmt.Errorf("labels of %dx%d: want at most %d in all", l.Cols, l.Rows, MaxCells)
	}
	if len(l.ID) != l.Cols*l.Rows {
		return fmt.Errorf("labels of %dx%d: there are %d", l.Cols, l.Rows, len(l.ID))
	}
	return nil
}

// appendLabels appends the coded map. It takes the longest run at each place, which is not always
// the shortest code, but near it.
func appendLabels(dst []byte, id []uint16, cols int) []byte {
	for i := 0; i < len(id); {
		source, end := fromCode, runOf(id, i, id[i])
		switch right, ok := labelToTheRight(id, i, cols); {
		case i > 0 && id[i] == id[i-1]:
			source = fromBefore
		case ok && id[i] == right:
			source = fromRight
		}
		if i >= cols {
			if n := runOfAbove(id, i, cols); n >= end && n > i {
				source, end = fromAbove, n
			}
		}
		n := end - i - 1
		dst = append(dst, byte(source<<6|min(n, shortRun)))
		if n >= shortRun {
			dst = binary.AppendUvarint(dst, uint64(n-shortRun))
		}
		if source == fromCode {
			dst = binary.AppendUvarint(dst, uint64(id[i]))
		}
		i = end
	}
	return dst
}

// runOf returns the end of the run of label that starts at i.
func runOf(id []uint16, i int, label uint16) int {
	for i < len(id) && id[i] == label {
		i++
	}
	return i
}

// runOfAbove returns the end of the cells from i on that have the label above them.
func runOfAbove(id []uint16, i, cols int) int {
	for i < len(id) && id[i] == id[i-cols] {
		i++
	}
	return i
}

// labelToTheRight returns the first label after the cell above i that differs from that cell's.
func labelToTheRight(id []uint16, i, cols int) (label uint16, ok bool) {
	if i < cols {
		return 0, false
	}
	for _, label = range id[i-cols+1 : i] {
		if label != id[i-cols] {
			return label, true
		}
	}
	return 0, false
}

var errLabels = errors.New("labels: broken code")

// parseLabels fills id, which is (rows, cols), from the code.
func parseLabels(id []uint16, cols int, code []byte) error {
	for i := 0; i < len(id); {
		if len(code) == 0 {
			return errLabels
		}
		source, n := int(code[0]>>6), int(code[0]&shortRun)
		code = code[1:]
		if n == shortRun {
			more, size := binary.Uvarint(code)
			if size <= 0 || more > MaxCells {
				return errLabels
			}
			n, code = n+int(more), code[size:]
		}
		end := i + n + 1
		if end > len(id) {
			return errLabels
		}
		if source == fromAbove {
			if i < cols {
				return errLabels
			}
			for ; i < end; i++ {
				id[i] = id[i-cols]
			}
			continue
		}
		var label uint16
		var ok bool
		switch source {
		case fromBefore:
			if ok = i > 0; ok {
				label = id[i-1]
			}
		case fromRight:
			label, ok = labelToTheRight(id, i, cols)
		case fromCode:
			var v uint64
			var size int
			v, size = binary.Uvarint(code)
			if ok = size > 0 && v <= 0xFFFF; ok {
				label, code = uint16(v), code[size:]
			}
		}
		if !ok {
			return errLabels
		}
		for ; i < end; i++ {
			id[i] = label
		}
	}
	if len(code) > 0 {
		return errLabels
	}
	return nil
}
