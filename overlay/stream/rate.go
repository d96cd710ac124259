package stream

import (
	"math"
	"slices"
	"time"
)

// Bit rate. Every viewer has an estimate of what its way can carry: Google's congestion control
// (draft-ietf-rmcat-gcc) as pion has it, and beside it a voice from the losses in the receiver reports,
// which also viewers without transport-wide feedback send. The estimate falls fast and rises slowly.
// The encoder is shared, so its target is a low percentile of the estimates; who has less gets fewer
// temporal layers.
const (
	ratePeriod  = 200 * time.Millisecond
	ratePercent = 20              // of the viewers may have less than the target
	rateStep    = 0.05            // smaller changes of the target are not told to the encoder
	growth      = 0.08            // a second, at most
	fallTime    = 0.3             // seconds, time constant
	highLoss    = 0.10            // above, the rate falls
	lowLoss     = 0.02            // below, the rate may rise
	quietTime   = 2 * time.Second // a viewer of which nothing is heard for so long has no say
)

// Shares of the bit rate up to which a viewer is sent the temporal layers 0, and 0 and 1. libvpx gives
// them 40 and 60 % of the whole.
const (
	shareOne = 0.65 // less: layer 0 only
	shareTwo = 0.90 // less: layers 0 and 1
)

// estimate of one viewer's bit rate.
type estimate struct {
	rate float64   // bit/s
	loss float64   // the voice of the losses, bit/s
	at   time.Time // of the last update
}

// observation is what an update of an estimate goes by.
type observation struct {
	congestion int     // bit/s, by congestion control; 0: it knows nothing
	lost       float64 // fraction
	sent       float64 // bit/s that are sent now
	min, max   float64 // bit/s
}

// update moves e to time now.
func (e *estimate) update(now time.Time, o observation) {
	if e.at.IsZero() {
		e.at, e.rate, e.loss = now, min(max(startBitrate, o.min), o.max), o.max
	}
	dt := now.Sub(e.at).Seconds()
	e.at = now
	switch {
	case o.lost > highLoss:
		// As in the draft, section 6, with somewhat more than a report a second.
		e.loss = max(o.min, min(e.loss, e.rate)*math.Pow(1-0.5*o.lost, 1.3*dt))
	case o.lost < lowLoss:
		e.loss = min(o.max, e.loss*math.Pow(1+growth, dt))
	}
	want := e.loss
	if o.congestion > 0 {
		want = min(want, float64(o.congestion))
	}
	want = min(max(want, o.min), o.max)
	switch {
	case want < e.rate:
		e.rate += (want - e.rate) * (1 - math.Exp(-dt/fallTime))
	case e.rate < 1.5*o.sent:
		// More than 1.5 times of what is sent was not tried, so nobody knows whether it passes.
		e.rate = min(want, e.rate*math.Pow(1+growth, dt))
	}
}

// percentile returns the value below which at most percent of values lie; values is sorted in place.
func percentile(values []float64, percent int) float64 {
	slices.Sort(values)
	return values[len(values)*percent/100]
}

// layerFor returns the highest temporal layer that a viewer with that rate should get.
func layerFor(rate, target float64) int {
	switch {
	case rate < shareOne*target:
		return 0
	case rate < shareTwo*target:
		return 1
	}
	return maxLayer
}

// maxLayer is the highest temporal layer of VP8's usual patterns.
const maxLayer = 2

// adapt updates the estimates of all who watch, the target, and the layers.
func (p *picture) adapt(now time.Time) {
	viewers := p.watchers()
	minimum, maximum := float64(p.cfg.MinBitrate), float64(p.cfg.MaxBitrate)
	rates := make([]float64, 0, len(viewers))
	for _, v := range viewers {
		if v.Paused() {
			continue
		}
		v.estimate.update(now, v.observe(now, minimum, maximum))
		v.rate.Store(int64(v.estimate.rate))
		if v.silent(now) < quietTime {
			rates = append(rates, v.estimate.rate)
		}
	}
	if len(rates) == 0 {
		return
	}
	old := float64(p.target.Load())
	target := min(max(percentile(rates, ratePercent), minimum), maximum)
	if edge := target == minimum || target == maximum; math.Abs(target-old) > rateStep*old || edge && target != old {
		p.target.Store(int64(target))
		p.cfg.Bitrate(p.index, int(target))
	} else {
		target = old
	}
	for _, v := range viewers {
		v.wantLayer.Store(int64(layerFor(v.estimate.rate, target)))
	}
}

// observe collects what v's estimate goes by.
func (v *Viewer) observe(now time.Time, minimum, maximum float64) observation {
	o := observation{lost: float64(v.loss.Load()) / 256, min: minimum, max: maximum}
	if v.feedback.Load() {
		// The congestion by delay only. The whole target also obeys pion's own loss estimate, which one
		// burst of losses drives to 100 kbit/s on a line that carries six times that. Its loss counts
		// packets that were lost once, while a report does not count those that came when sent again.
		stats := v.bwe.GetStats()
		o.congestion, _ = stats["delayTargetBitrate"].(int)
		loss, _ := stats["averageLoss"].(float64)
		o.lost = max(o.lost, loss)
	}
	o.sent = v.meter.rate(now, v.stats.bytes.Load())
	return o
}

// meter measures a bit rate as a moving average over about a second.
type meter struct {
	at    time.Time
	bytes uint64
	bits  float64 // per second
}

func (m *meter) rate(now time.Time, bytes uint64) float64 {
	if !m.at.IsZero() {
		if dt := now.Sub(m.at).Seconds(); dt > 0 {
			m.bits += (float64(8*(bytes-m.bytes))/dt - m.bits) * (1 - math.Exp(-dt))
		}
	}
	m.at, m.bytes = now, bytes
	return m.bits
}
