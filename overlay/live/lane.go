package live

import (
	"sync/atomic"
	"time"

	"glomstream/capture"
	"glomstream/overlay/stream"
	"glomstream/overlay/vpx"
)

// lane makes one picture and encodes it. It is the worker's, but for the atomics.
type lane struct {
	live    *Live
	picture int
	painter painter
	pool    *capture.Pool

	enc    encoder // nil until it is needed, and after an error
	w, h   int     // of enc
	rate   int64   // of enc
	packet vpx.Packet
	failed time.Time // when there was an error
	wished time.Time // when the recorder was last given a key frame that it wanted

	key     atomic.Bool  // a key frame is asked for
	bitrate atomic.Int64 // that is asked for

	encoded, keys, bytes, errors atomic.Uint64
}

// rest is how long an encoder that failed is left alone.
const rest = time.Second

// show makes the picture of a shot and gives it to those who watch.
func (n *lane) show(s *shot, at moment) {
	began := time.Now()
	if began.Sub(n.failed) < rest {
		return
	}
	f, err := n.draw(s, at.sign)
	if err == nil {
		drawn := time.Now()
		n.live.cfg.Observe("draw", drawn.Sub(began))
		f.PTS = at.pts
		err = n.encode(&f)
		n.live.cfg.Observe("encode", time.Since(drawn))
	}
	if n.picture != Plain || at.sign != "" {
		f.Release()
	}
	if err != nil {
		n.fail(err)
		return
	}
	n.send(at)
}

// draw returns the picture: of Plain the frame itself, unless something is to be written on it.
func (n *lane) draw(s *shot, sign string) (capture.Frame, error) {
	if n.picture == Overlay {
		canvas, err := n.painter.paint(&n.live.drawers, -1, s, n.pool)
		if err == nil {
			n.live.drawers.signed(&canvas, sign)
		}
		return canvas, err
	}
	if sign == "" {
		return s.frame, nil
	}
	canvas := n.pool.Frame(s.frame.W, s.frame.H)
	copy(canvas.Pix, s.frame.Pix)
	n.live.drawers.signed(&canvas, sign)
	return canvas, nil
}

// encode compresses a picture into n.packet, with a new encoder if its size is another one.
func (n *lane) encode(f *capture.Frame) error {
	if n.enc != nil && (f.W != n.w || f.H != n.h) {
		_ = n.close() // its frames are out
	}
	if n.enc == nil {
		c := n.live.encoding(f.W, f.H)
		c.Bitrate = int(n.bitrate.Load())
		enc, err := n.live.newEncoder(c)
		if err != nil {
			return err
		}
		n.enc, n.w, n.h, n.rate = enc, f.W, f.H, int64(c.Bitrate)
	}
	if rate := n.bitrate.Load(); rate != n.rate {
		if err := n.enc.SetBitrate(int(rate)); err != nil {
			return err
		}
		n.rate = rate
	}
	return n.enc.Encode(&n.packet, f, n.key.Swap(false))
}

// send hands on what was encoded.
func (n *lane) send(at moment) {
	p := &n.packet
	if len(p.Data) == 0 {
		return // the rate control left it out
	}
	n.encoded.Add(1)
	n.bytes.Add(uint64(len(p.Data)))
	if p.Key {
		n.keys.Add(1)
	}
	over := n.live.busy.since(&n.live.busy.send[n.picture])
	n.live.room.write(n.picture, &stream.Frame{Data: p.Data, Key: p.Key, Layer: p.Layer, Timestamp: at.rtp, Captured: at.captured})
	over()
	if r := n.live.recorder; r != nil && n.picture == Overlay {
		if err := r.Write(p.Data, p.Key, at.pts, p.W, p.H); err != nil {
			n.live.recordFailed(err)
		}
		if now := time.Now(); r.WantsKey() && now.Sub(n.wished) >= time.Second {
			n.wished = now
			n.key.Store(true)
		}
	}
}

// fail gives up on an encoder for a moment.
func (n *lane) fail(err error) {
	n.errors.Add(1)
	n.failed = time.Now()
	n.live.cfg.Log.Error("encode", "picture", Pictures()[n.picture], "error", err)
	_ = n.close() // the error that matters is known
	n.key.Store(true)
}

func (n *lane) close() error {
	if n.enc == nil {
		return nil
	}
	err := n.enc.Close()
	n.enc = nil
	return err
}
