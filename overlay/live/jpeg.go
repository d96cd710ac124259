package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"slices"
	"sync"
	"time"

	"glomstream/capture"
)

// firstPicture is how long JPEG waits for the first one.
const firstPicture = 2 * time.Second

var errClosed = errors.New("the program ends")

// JPEG returns the newest picture, whose version is over after: it waits for that. picture is one of
// Pictures; level draws another level than the one that is shown to all, which is -1. However
// many ask for the same picture at a time, it is made once; so the bytes are everybody's and must not be changed.
func (l *Live) JPEG(ctx context.Context, picture string, level int, after uint64) (data []byte, version uint64, err error) {
	p := slices.Index(Pictures(), picture)
	if p < 0 || level < -1 || level >= l.cfg.Levels {
		return nil, 0, fmt.Errorf("picture %q of level %d: there is none", picture, level)
	}
	if p == Plain {
		level = -1
	}
	s, sign, version, err := l.newest(ctx, after)
	if err != nil {
		return nil, 0, err
	}
	defer s.release()
	data, err = l.shared(s, sign, shotKey{version, p, level})
	return data, version, err
}

// shared makes a picture once for all who ask for it.
func (l *Live) shared(s *shot, sign string, key shotKey) ([]byte, error) {
	// Whoever comes first holds the shot until it is done, so the others' may go.
	v, err, _ := l.flight.Do(fmt.Sprint(key), func() (any, error) {
		return l.kept.get(key, func() ([]byte, error) { return l.compress(s, sign, key.picture, key.level) })
	})
	if err != nil {
		return nil, err
	}
	return v.([]byte), nil
}

// shotKey names a picture as JPEG.
type shotKey struct {
	version        uint64
	picture, level int
}

// kept are the JPEGs of the newest version. The zero value has none.
type kept struct {
	mu      sync.Mutex
	version uint64
	data    map[shotKey][]byte
}

// get returns the picture, which is made if it is not there.
func (k *kept) get(key shotKey, compress func() ([]byte, error)) ([]byte, error) {
	k.mu.Lock()
	data := k.data[key]
	k.mu.Unlock()
	if data != nil {
		return data, nil
	}
	data, err := compress()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.version != key.version {
		k.version, k.data = key.version, map[shotKey][]byte{}
	}
	k.data[key] = data
	return data, nil
}

// newest returns the newest shot and its sign, retained, once its version is over after.
func (l *Live) newest(ctx context.Context, after uint64) (s *shot, sign string, version uint64, err error) {
	if after == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, firstPicture, errors.New("no picture yet"))
		defer cancel()
	}
	for {
		l.mu.Lock()
		switch {
		case l.closed:
			l.mu.Unlock()
			return nil, "", 0, errClosed
		case l.last != nil && l.version > after:
			defer l.mu.Unlock()
			l.last.retain()
			return l.last, l.sign, l.version, nil
		}
		if l.fresh == nil {
			l.fresh = make(chan struct{})
		}
		fresh := l.fresh
		l.mu.Unlock()
		select {
		case <-fresh:
		case <-ctx.Done():
			return nil, "", 0, context.Cause(ctx)
		}
	}
}

func (l *Live) hasPicture() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last != nil
}

// compress makes a JPEG.
func (l *Live) compress(s *shot, sign string, picture, level int) ([]byte, error) {
	l.jpegs.Add(1)
	var p painter
	canvas := s.frame
	switch {
	case picture == Overlay:
		var err error
		if canvas, err = p.paint(&l.drawers, level, s, capture.NewPool(0)); err != nil {
			return nil, err
		}
	case sign != "":
		canvas.Pix = slices.Clone(canvas.Pix)
	}
	l.drawers.signed(&canvas, sign)
	var b bytes.Buffer
	err := jpeg.Encode(&b, toYCbCr(&canvas), &jpeg.Options{Quality: 85})
	return b.Bytes(), err
}

// toYCbCr converts a picture as JFIF wants it: BT.601 in the full range, chroma of 2x2 pixels' mean.
func toYCbCr(f *capture.Frame) *image.YCbCr {
	dst := image.NewYCbCr(image.Rect(0, 0, f.W, f.H), image.YCbCrSubsampleRatio420)
	for y := 0; y < f.H; y += 2 {
		y1 := min(y+1, f.H-1)
		top, bottom := f.Pix[y*f.Stride:][:3*f.W], f.Pix[y1*f.Stride:][:3*f.W]
		for x := 0; x < f.W; x += 2 {
			x1 := min(x+1, f.W-1)
			var sum [3]int32
			for _, at := range [4]struct {
				row  []byte
				x, y int
			}{{top, x, y}, {top, x1, y}, {bottom, x, y1}, {bottom, x1, y1}} {
				b, g, r := int32(at.row[3*at.x]), int32(at.row[3*at.x+1]), int32(at.row[3*at.x+2])
				dst.Y[at.y*dst.YStride+at.x] = uint8((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
				sum[0] += b
				sum[1] += g
				sum[2] += r
			}
			b, g, r := sum[0], sum[1], sum[2]
			c := y/2*dst.CStride + x/2
			dst.Cb[c] = uint8(min((-11056*r-21712*g+32768*b+(128<<18)+1<<17)>>18, 255))
			dst.Cr[c] = uint8(min((32768*r-27440*g-5328*b+(128<<18)+1<<17)>>18, 255))
		}
	}
	return dst
}

// snapshot writes the newest pictures, as they came and with the islands, and returns the name of
// the latter. Names are made of the time and the number of the frame only.
func (l *Live) snapshot() (name string, err error) {
	if l.folder == nil {
		return "", errors.New("snapshot: the server keeps none")
	}
	l.mu.Lock()
	s, sign, version, soon := l.last, l.sign, l.version, time.Since(l.snapped) < time.Second
	if s == nil || soon {
		l.mu.Unlock()
		return "", errors.New("snapshot: at most one a second, once there are pictures")
	}
	s.retain()
	l.snapped = time.Now()
	l.mu.Unlock()
	defer s.release()
	for _, p := range []int{Plain, Overlay} {
		data, err := l.shared(s, sign, shotKey{version, p, -1})
		if err != nil {
			return "", fmt.Errorf("snapshot: %w", err)
		}
		name = fmt.Sprintf("snapshot-%s-%06d-%s.jpg", time.Now().UTC().Format("20060102T150405Z"), version, Pictures()[p])
		if err := writeNew(l.folder, name, data); err != nil {
			l.cfg.Log.Error("snapshot", "error", err)
			return "", errors.New("snapshot: cannot write it; the server's log says why")
		}
	}
	return name, nil
}

// writeNew writes a file that must not exist yet. os.Root keeps it within the folder whatever links there are.
func writeNew(folder *os.Root, name string, data []byte) error {
	f, err := folder.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
