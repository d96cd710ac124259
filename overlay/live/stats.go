package live

import "time"

// PictureStats are the totals of one picture.
type PictureStats struct {
	Name      string `json:"name"`
	Watching  int    `json:"watching"`
	Encoded   uint64 `json:"encoded"` // frames
	KeyFrames uint64 `json:"key_frames"`
	Bytes     uint64 `json:"bytes"`
	Failed    uint64 `json:"failed"`
	Bitrate   int64  `json:"bitrate"` // bit/s that the encoder aims at
}

// Stats are totals since New, and what holds now.
type Stats struct {
	Frames    uint64         `json:"frames"`           // that the pipeline gave
	Replaced  uint64         `json:"replaced"`         // by a newer one before they were shown
	Dropped   int            `json:"dropped"`          // of the source, by the pipeline
	Seq       uint64         `json:"frame"`            // number of the newest
	Age       float64        `json:"age_s"`            // since the newest came
	Width     int            `json:"width"`            // of the newest, pixels
	Height    int            `json:"height"`           //
	FPS       float64        `json:"fps"`              // of the pipeline
	Unsettled float64        `json:"unsettled"`        // 0 to 1
	Islands   []int          `json:"islands"`          // by level
	Stalled   bool           `json:"stalled"`          //
	Viewers   int            `json:"viewers"`          //
	Following bool           `json:"following"`        //
	JPEGs     uint64         `json:"jpegs"`            // that were made
	Pictures  []PictureStats `json:"pictures"`         //
	Recording bool           `json:"recording"`        //
	Lost      int            `json:"recorder_dropped"` // frames that the disk was too slow for
	Failed    uint64         `json:"recorder_failed"`  // frames that could not be recorded
}

// Stats returns the present numbers.
func (l *Live) Stats() Stats {
	st := Stats{
		Frames: l.taken.Load(), Replaced: l.replaced.Load(), Stalled: l.stalled.Load(), Viewers: l.room.count(),
		Following: l.follow.now() != nil, JPEGs: l.jpegs.Load(), Failed: l.recordErrors.Load(),
	}
	for i, name := range Pictures() {
		n := &l.lanes[i]
		st.Pictures = append(st.Pictures, PictureStats{
			Name: name, Watching: l.room.watching(i), Encoded: n.encoded.Load(), KeyFrames: n.keys.Load(),
			Bytes: n.bytes.Load(), Failed: n.errors.Load(), Bitrate: n.bitrate.Load(),
		})
	}
	if l.recorder != nil {
		st.Recording, st.Lost = true, l.recorder.Dropped()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	st.Islands = make([]int, l.cfg.Levels)
	if s := l.last; s != nil {
		st.Seq, st.Dropped, st.FPS, st.Unsettled = s.frame.Seq, s.dropped, s.fps, s.unsettled
		st.Width, st.Height = s.frame.W, s.frame.H
		st.Age = time.Since(l.arrived).Seconds()
		for i := range min(len(s.levels), len(st.Islands)) {
			st.Islands[i] = len(s.levels[i].Islands)
		}
	}
	return st
}
