package stream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

const (
	// payloadSize is the longest RTP payload. With 12 bytes of header, up to 32 of extensions and 10
	// of SRTP's tag a packet stays under 1200 bytes, which pass through every usual network.
	payloadSize = 1140
	// keyPeriod is the shortest time between two requests for a key frame of a picture.
	keyPeriod = 500 * time.Millisecond
	// young is how old a key frame may be for a viewer who comes to begin with it, and the frames since, rather
	// than wait for the next one. More frames than those of that time would crowd a narrow line.
	young = 200 * time.Millisecond
)

// sharedFrame is a frame in RTP payloads. All viewers read it, nobody changes it.
type sharedFrame struct {
	payloads  [][]byte
	key       bool
	layer     int
	timestamp uint32
	captured  time.Time
}

// picture is one encoded stream and those who watch it.
type picture struct {
	index  int
	name   string
	cfg    *Config
	target atomic.Int64  // bit rate
	keys   chan struct{} // holds at most one wish for a key frame
	asked  atomic.Uint64 // key frames asked for

	mu        sync.Mutex
	payloader rtp.Payloader
	recent    []*sharedFrame            // from the last key frame on, none if that is no longer young
	keyAt     time.Time                 // of that key frame
	viewers   atomic.Pointer[[]*Viewer] // connected ones; the slice is replaced, never changed
}

func newPicture(index int, name string, cfg *Config) *picture {
	p := &picture{index: index, name: name, cfg: cfg, keys: make(chan struct{}, 1)}
	p.target.Store(int64(min(max(startBitrate, cfg.MinBitrate), cfg.MaxBitrate)))
	if cfg.Codec == VP9 {
		p.payloader = &codecs.VP9Payloader{}
	} else {
		p.payloader = &codecs.VP8Payloader{EnablePictureID: true}
	}
	return p
}

// write cuts f into payloads, if anybody watches, and puts it into the queue of each viewer.
func (p *picture) write(f *Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	viewers := p.watchers()
	if len(viewers) == 0 {
		p.recent = nil // this one is missing
		return
	}
	if len(f.Data) == 0 {
		return
	}
	shared := &sharedFrame{
		payloads: p.payloader.Payload(payloadSize, f.Data), // copies
		key:      f.Key, layer: f.Layer, timestamp: f.Timestamp, captured: f.Captured,
	}
	if len(shared.payloads) == 0 {
		return // no frame of the codec: pion reads the header of VP9
	}
	p.keep(shared)
	for _, v := range viewers {
		v.push(shared)
	}
}

// keep remembers f for viewers who come soon; p.mu is held.
func (p *picture) keep(f *sharedFrame) {
	switch {
	case f.key:
		p.recent, p.keyAt = append([]*sharedFrame(nil), f), time.Now()
	case len(p.recent) == 0:
	case len(p.recent) == queueLen || time.Since(p.keyAt) > young:
		p.recent = nil
	default:
		p.recent = append(p.recent, f)
	}
}

// watchers waits for nobody.
func (p *picture) watchers() []*Viewer {
	if all := p.viewers.Load(); all != nil {
		return *all
	}
	return nil
}

// add lets v watch. It reports whether there was a young key frame to begin with.
func (p *picture) add(v *Viewer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := append(slices.Clip(p.watchers()), v)
	p.viewers.Store(&all)
	if len(p.recent) == 0 || time.Since(p.keyAt) > young {
		return false
	}
	for _, f := range p.recent {
		v.push(f)
	}
	return true
}

func (p *picture) remove(v *Viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.watchers()
	if i := slices.Index(all, v); i >= 0 {
		all = slices.Concat(all[:i], all[i+1:])
		p.viewers.Store(&all)
	}
}

// wantKey asks for a key frame soon. Wishes that come before it is asked for are one.
func (p *picture) wantKey() {
	select {
	case p.keys <- struct{}{}:
	default:
	}
}

// askKeys passes wishes on to Config.KeyFrame, at most one in a keyPeriod.
func (p *picture) askKeys(stop <-chan struct{}) {
	for {
		select {
		case <-p.keys:
		case <-stop:
			return
		}
		p.asked.Add(1)
		p.cfg.KeyFrame(p.index)
		select {
		case <-time.After(keyPeriod):
		case <-stop:
			return
		}
	}
}
