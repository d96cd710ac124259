package eval

import (
	"context"
	"io"

	"glomstream/capture"
)

// limited ends a source after some frames.
type limited struct {
	capture.Source
	left int
}

func (l *limited) Next(ctx context.Context) (capture.Frame, error) {
	if l.left == 0 {
		return capture.Frame{}, io.EOF
	}
	l.left--
	return l.Source.Next(ctx)
}
