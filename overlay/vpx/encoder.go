//go:build cgo && !novpx

package vpx

/*
#cgo pkg-config: vpx
#cgo CFLAGS: -O3
#include <vpx/vp8cx.h>
#include <vpx/vpx_codec.h>
#include "vpx.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
	"unsafe"

	"glomstream/capture"
)

// Encoder makes a stream of frames of one size. It must be closed.
type Encoder struct {
	cfg Config

	mu     sync.Mutex
	c      *C.glom_vpx // nil once closed
	out    C.glom_vpx_packet
	clock  clock
	bucket bucket
	order  order
	key    bool // one is due
}

// New returns an encoder, whose first packet is a key frame.
func New(cfg Config) (*Encoder, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("encode video: %w", err)
	}
	e := &Encoder{
		cfg:    cfg,
		clock:  clock{interval: min(time.Duration(float64(time.Second)/cfg.FPS), longestGap)},
		bucket: bucket{rate: float64(cfg.Bitrate)},
		order:  order{layers: cfg.Layers},
		key:    true,
	}
	c := C.glom_vpx_config{
		w: C.int(cfg.W &^ 1), h: C.int(cfg.H &^ 1),
		layers: C.int(cfg.Layers), rates: rates(cfg.Bitrate, cfg.Layers),
	}
	if cfg.Codec == VP9 {
		c.vp9 = 1
	}
	if why := C.glom_vpx_open(&e.c, &c); why != nil {
		err := fmt.Errorf("encode video: open %s at %dx%d: %s", cfg.Codec, cfg.W, cfg.H, C.GoString(why))
		C.glom_vpx_free(e.c)
		return nil, err
	}
	return e, nil
}

// rates are libvpx's kbit/s of each layer with those below it.
func rates(bps, layers int) [3]C.int {
	var r [3]C.int
	for i, share := range shares(layers) {
		r[i] = C.int(max(1, bps/100*share/1000))
	}
	return r
}

// Encode compresses f, which stays the caller's, into p. With key it makes a key frame. Where
// the bitrate does not allow for the frame, p.Data is empty; a key frame is never left out. The frame
// must have the size that New was given.
func (e *Encoder) Encode(p *Packet, f *capture.Frame, key bool) error {
	if p == nil {
		return errors.New("encode video: there is no packet to fill")
	}
	*p = Packet{Data: p.Data[:0], W: e.cfg.W &^ 1, H: e.cfg.H &^ 1}
	if err := checkFrame(f, e.cfg.W, e.cfg.H); err != nil {
		return fmt.Errorf("encode video: %w", err)
	}
	p.PTS = f.PTS
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.c == nil {
		return fmt.Errorf("encode video: the encoder is %w", fs.ErrClosed)
	}
	e.clock.see(f.PTS)
	full := e.bucket.full(e.clock.now)
	e.key = e.key || key || e.clock.now-e.clock.key+e.clock.interval/2 >= e.cfg.KeyEvery
	if full && !e.key {
		return nil
	}
	at := e.clock.tell(e.bucket.room())
	layer, flags := e.plan()
	why := C.glom_vpx_encode(e.c, &e.out, (*C.uint8_t)(&f.Pix[0]), C.ptrdiff_t(f.Stride),
		C.int64_t(at.Microseconds()), C.int64_t(float64(time.Second.Microseconds())/e.cfg.FPS), flags, C.int(layer))
	if why != nil {
		return fmt.Errorf("encode video: frame %d: %s", f.Seq, C.GoString(why))
	}
	if e.out.data == nil {
		return nil
	}
	p.Data = append(p.Data, unsafe.Slice((*byte)(unsafe.Pointer(e.out.data)), e.out.size)...)
	p.Key, p.Layer = e.out.key != 0, int(e.out.layer)
	e.bucket.add(len(p.Data))
	if p.Key {
		e.key, p.Layer = false, 0
		e.clock.key = e.clock.now
	}
	return nil
}

// plan returns the layer of the next frame and what libvpx is to know about it.
func (e *Encoder) plan() (layer int, flags C.int) {
	layer, golden := e.order.next(e.key)
	switch {
	case e.key:
		return layer, C.VPX_EFLAG_FORCE_KF
	case e.cfg.Layers == 1 || e.cfg.Codec == VP9: // libvpx's own pattern
		return layer, 0
	case layer == 0:
		return layer, C.VP8_EFLAG_NO_REF_GF | C.VP8_EFLAG_NO_REF_ARF | C.VP8_EFLAG_NO_UPD_GF | C.VP8_EFLAG_NO_UPD_ARF
	}
	// What is decoded without these frames must not have learned from them: neither a picture nor
	// the statistics of the symbols.
	flags = C.VP8_EFLAG_NO_REF_ARF | C.VP8_EFLAG_NO_UPD_LAST | C.VP8_EFLAG_NO_UPD_ARF | C.VP8_EFLAG_NO_UPD_ENTROPY
	if layer == e.cfg.Layers-1 {
		flags |= C.VP8_EFLAG_NO_UPD_GF // nothing refers to the top layer
	}
	if !golden {
		flags |= C.VP8_EFLAG_NO_REF_GF
	}
	return layer, flags
}

// SetBitrate changes the target, in bit/s, from the next frame on.
func (e *Encoder) SetBitrate(bps int) error {
	if err := checkBitrate(bps); err != nil {
		return fmt.Errorf("encode video: %w", err)
	}
	r := rates(bps, e.cfg.Layers)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.c == nil {
		return fmt.Errorf("encode video: the encoder is %w", fs.ErrClosed)
	}
	if why := C.glom_vpx_set_rates(e.c, &r[0]); why != nil {
		return fmt.Errorf("encode video: set %d bit/s: %s", bps, C.GoString(why))
	}
	e.bucket.rate = float64(bps)
	return nil
}

// Close frees the encoder and may be called twice.
func (e *Encoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	C.glom_vpx_free(e.c)
	e.c = nil
	return nil
}

// Version returns the version of libvpx, such as "v1.12.0".
func Version() string { return C.GoString(C.vpx_codec_version_str()) }
