package pipeline

import "time"

// Stats are the totals of a run. The time of a stage is what all frames together spent in it,
// without waiting for their turn; stages work at the same time, so the times add up to more than
// Wall. Frames that were not written count nowhere but in Dropped and Decode.
type Stats struct {
	Frames      int // written to all sinks
	Dropped     int // replaced by a newer frame before they were started; only with Config.Latest
	Resets      int // of the state, after embeddings that were not finite
	SizeChanges int // from one frame to the next
	Cuts        int // from one frame to the next

	Decode   time.Duration // in Source.Next, so a live source's waiting for the next picture is in it
	FrontEnd time.Duration
	Settle   time.Duration
	ReadOut  time.Duration // islands, their ids and parents
	Upsample time.Duration // labels at pixel size
	Draw     time.Duration
	Sink     time.Duration
	Wall     time.Duration // since the start of the run
}

// add adds the frame in s, which was written.
func (t *Stats) add(s *slot) {
	t.Frames++
	t.Dropped = s.res.Dropped
	if s.reset {
		t.Resets++
	}
	if s.resized {
		t.SizeChanges++
	}
	if s.res.Cut {
		t.Cuts++
	}
	t.Decode = s.spent.Decode // a total already
	t.FrontEnd += s.spent.FrontEnd
	t.Settle += s.spent.Settle
	t.ReadOut += s.spent.ReadOut
	t.Upsample += s.spent.Upsample
	t.Draw += s.spent.Draw
	t.Sink += s.spent.Sink
}

// meter measures the rate of events over the last second.
type meter struct {
	at []time.Time // of the events of the last second, maxEvents at most, and one before them
}

const maxEvents = 1000

// tick counts an event and returns the events per second, 0 as long as that is unknown.
func (m *meter) tick(now time.Time) float64 {
	m.at = append(m.at, now)
	old := 0
	for old+2 < len(m.at) && (now.Sub(m.at[old+1]) >= time.Second || len(m.at)-old > maxEvents+1) {
		old++
	}
	m.at = m.at[:copy(m.at, m.at[old:])]
	span := now.Sub(m.at[0])
	if span <= 0 {
		return 0
	}
	return float64(len(m.at)-1) / span.Seconds()
}
