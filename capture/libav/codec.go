//go:build cgo

package libav

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// container is a kind of file that Create can write.
type container struct {
	ext    string
	muxer  string   // libavformat's name
	codecs []string // that it can hold, the default first
	ticks  int      // per second
	mux    string   // options of the muxer
}

// containers lists them all. A cluster is what Matroska can lose in a crash; half a second
// costs some 20 bytes a second more than the muxer's own five seconds.
func containers() []container {
	const live = "flush_packets=1:cluster_time_limit=500"
	return []container{
		{".mkv", "matroska", []string{"h264", "vp8", "vp9", "mpeg4", "ffv1"}, 1000, live},
		{".webm", "webm", []string{"vp8", "vp9"}, 1000, live},
		{".mp4", "mp4", []string{"h264", "mpeg4"}, 90000, "flush_packets=1"},
	}
}

// codec is a way to encode.
type codec struct {
	name    string // as the user says it
	encoder string // libavcodec's name
	rgb     bool   // keeps BGR instead of YUV 4:2:0
	only601 bool   // has no other colour matrix
	options func(o Options) string
}

// codecs lists them all. One thread each where more would hold frames back and take the cores
// from those who make the frames. No B frames, so that packets come in order of presentation.
func codecs() []codec {
	return []codec{
		{name: "h264", encoder: "libx264", options: func(o Options) string {
			return fmt.Sprintf("preset=superfast:crf=%d:bf=0:threads=1:rc-lookahead=0:g=%d", o.scale(48, 10), o.gop())
		}},
		{name: "vp8", encoder: "libvpx", only601: true, options: func(o Options) string {
			return fmt.Sprintf("deadline=realtime:cpu-used=-12:threads=1:lag-in-frames=0:auto-alt-ref=0:crf=%d:qmin=2:qmax=%d:b=%d:g=%d",
				o.scale(60, 4), o.scale(63, 20), o.bitrate(), o.gop())
		}},
		{name: "vp9", encoder: "libvpx-vp9", options: func(o Options) string {
			return fmt.Sprintf("deadline=realtime:cpu-used=8:threads=2:row-mt=1:tile-columns=1:lag-in-frames=0:auto-alt-ref=0:crf=%d:b=0:g=%d",
				o.scale(60, 10), o.gop())
		}},
		{name: "mpeg4", encoder: "mpeg4", options: func(o Options) string {
			const lambda = 118 // FFmpeg's FF_QP2LAMBDA
			return fmt.Sprintf("flags=+qscale:global_quality=%d:bf=0:threads=1:g=%d", lambda*o.scale(31, 2), o.gop())
		}},
		{name: "ffv1", encoder: "ffv1", rgb: true, options: func(o Options) string {
			if min(o.W, o.H) < 16 {
				return "level=1:g=1" // too small for the slices of level 3
			}
			return "level=3:slicecrc=1:g=1:threads=1"
		}},
	}
}

// scale turns Quality into the encoder's own measure, worst at 1 and best at 100.
func (o Options) scale(worst, best int) int {
	return worst + int(math.Round(float64(best-worst)*float64(o.Quality-1)/99))
}

// gop is a key frame every two seconds, for seeking.
func (o Options) gop() int {
	return max(1, int(math.Round(2*o.FPS)))
}

// bitrate is an upper bound for VP8, which has no mode without one: four bits a pixel keep it
// from ever being the one that decides.
func (o Options) bitrate() int {
	return int(min(max(1e6, 4*float64(o.W)*float64(o.H)*o.FPS), 5e8))
}

// CheckName says whether the ending of path is one that Create knows.
func CheckName(path string) error {
	_, _, err := choose(path, "")
	return err
}

// choose finds the container of path and the codec to go with it.
func choose(path, name string) (container, codec, error) {
	ext := strings.ToLower(filepath.Ext(path))
	all := containers()
	i := slices.IndexFunc(all, func(c container) bool { return c.ext == ext })
	if i < 0 {
		return container{}, codec{}, fmt.Errorf("unknown container %q; the name must end in .mkv, .webm or .mp4", ext)
	}
	box := all[i]
	if name == "" {
		name = box.codecs[0]
	}
	known := codecs()
	j := slices.IndexFunc(known, func(c codec) bool { return c.name == name })
	if j < 0 {
		return container{}, codec{}, fmt.Errorf("unknown codec %q; use h264, vp8, vp9, mpeg4 or ffv1", name)
	}
	if !slices.Contains(box.codecs, name) {
		return container{}, codec{}, fmt.Errorf("%s cannot hold %s; it can hold %s", ext, name, strings.Join(box.codecs, ", "))
	}
	if !known[j].available() {
		return container{}, codec{}, fmt.Errorf("this FFmpeg has no encoder %s for %s", known[j].encoder, name)
	}
	if name == "mpeg4" {
		box.ticks = min(box.ticks, 60000) // the format has 16 bits for it
	}
	return box, known[j], nil
}
