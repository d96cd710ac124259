package eval

import (
	"glomstream/glom/metrics"
)

// division scores one way of dividing the frames of a sequence against one granularity.
type division struct {
	grain   int
	level   int // of the model, -1 for other methods
	full    bool
	objects bool // the granularity of objects, whose identity is tracked
	still   bool

	mean     means
	frame    metrics.Table
	volume   metrics.Table
	switches metrics.Switches
	vc       metrics.Consistency
	frames   int
	things   []uint16 // (H*W) truth without what is not tracked
	tracked  bool
}

// window is k of the video consistency VC_k.
const window = 8

func newDivision(seq *Sequence, grain, level int, full bool) *division {
	return &division{
		grain: grain, level: level, full: full, still: seq.Still,
		objects: seq.FromTop[grain] == 1, mean: make(means), vc: metrics.Consistency{Window: window},
	}
}

// add scores pred (H*W) of one frame.
func (d *division) add(t *Truth, pred []uint16, p *picture) {
	for _, truth := range t.Maps[d.grain] {
		d.frame.Reset()
		d.frame.Add(truth, pred)
		if d.frame.Objects() > 0 {
			d.mean.add("best_j", d.frame.MBO())
		}
		if d.frame.Objects() > 1 { // one object cannot be told from another
			d.mean.add("fg_ari", d.frame.FGARI())
		}
		d.mean.add("ari", d.frame.ARI())
		if !d.full {
			continue
		}
		d.mean.add("covering", d.frame.Covering())
		d.mean.add("vi", d.frame.VI())
		d.mean.add("asa", d.frame.ASA())
		d.mean.add("ue", d.frame.UE())
		d.mean.add("br", metrics.BoundaryRecall(truth, pred, p.w, p.h))
	}
	if maps := t.Maps[d.grain]; !d.still && len(maps) == 1 {
		d.follow(t, maps[0], pred)
	}
}

// follow scores identity over the frames.
func (d *division) follow(t *Truth, truth, pred []uint16) {
	d.volume.Add(truth, pred)
	if !d.full {
		return
	}
	d.vc.Add(truth, pred)
	d.frames++
	if d.objects {
		d.things = onlyThings(d.things, truth, t.Things)
		d.switches.Add(d.things, pred)
		d.tracked = true
	}
}

// onlyThings copies truth with 0 for what is not tracked.
func onlyThings(dst, truth []uint16, things map[uint16]bool) []uint16 {
	if cap(dst) < len(truth) {
		dst = make([]uint16, len(truth))
	}
	dst = dst[:len(truth)]
	last, keep := uint16(0), false
	for i, id := range truth {
		if id != last {
			last, keep = id, id != metrics.Ignore && (things == nil || things[id])
		}
		dst[i] = 0
		if keep {
			dst[i] = id
		}
	}
	return dst
}

// scores returns what was found.
func (d *division) scores() map[string]float64 {
	m := d.mean
	if d.volume.N() > 0 {
		if d.volume.Objects() > 0 {
			m.add("mbo", d.volume.MBO())
		}
		m.add("ari_video", d.volume.ARI())
		if d.full {
			m.add("ue_video", d.volume.UELevinshtein())
			if d.volume.Objects() > 0 {
				m.add("acc_video", d.volume.Accuracy3D())
			}
		}
	}
	if d.frames >= window {
		m.add("vc8", d.vc.Mean())
	}
	if matched, missed := d.switches.Frames(); d.tracked && matched+missed > 0 {
		m.add("switches", float64(d.switches.Count()))
		m.add("matched", float64(matched)/float64(matched+missed))
	}
	return m.scores()
}
