package opencv

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"glomstream/capture"
)

// frameTimes asks ffprobe when each frame of the first video track is shown, in seconds from
// the start of the track; nil if the file states no times.
func frameTimes(t *testing.T, path string) []float64 {
	t.Helper()
	probe, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("no ffprobe to compare with")
	}
	out, _ := exec.Command(probe, "-v", "quiet", "-select_streams", "v:0", "-show_entries",
		"frame=best_effort_timestamp_time:stream=start_time", "-of", "csv", path).Output()
	var times []float64
	start := 0.0
	for sc := bufio.NewScanner(strings.NewReader(string(out))); sc.Scan(); {
		kind, value, _ := strings.Cut(sc.Text(), ",")
		value, _, _ = strings.Cut(value, ",")
		s, err := strconv.ParseFloat(value, 64)
		switch {
		case kind == "stream" && err == nil:
			start = s
		case kind == "frame" && err != nil:
			return nil
		case kind == "frame":
			times = append(times, s)
		}
	}
	for i := range times {
		times[i] -= start
	}
	return times
}

// TestGoodVideos reads every good clip to its end: none is called truncated, frames are as
// many as ffprobe's, and their times are ffprobe's.
func TestGoodVideos(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 40 MB of video")
	}
	for _, path := range sharedVideos(t, "good") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := frameTimes(t, path)
			got := readAll(t, path, behind(want))
			if want == nil {
				return
			}
			if len(got) != len(want) {
				t.Fatalf("got %d frames, want %d", len(got), len(want))
			}
			for i := range got {
				if d := math.Abs(got[i].Seconds() - want[i]); d > 0.002 {
					t.Errorf("frame %d: got time %v, want %.4f s", i, got[i], want[i])
					break
				}
			}
		})
	}
}

// behind hands the last times of a file to OpenVideo, as a program would that has them.
func behind(times []float64) VideoOptions {
	return VideoOptions{Times: func(after time.Duration) []time.Duration {
		var tail []time.Duration
		for _, s := range times {
			if d := time.Duration(s * 1e9); d > after+time.Millisecond {
				tail = append(tail, d)
			}
		}
		return tail
	}}
}

// readAll returns the times of all frames of a file that must end well.
func readAll(t *testing.T, path string, opt VideoOptions) []time.Duration {
	t.Helper()
	v := openFile(t, path, opt)
	defer v.Close()
	var times []time.Duration
	for {
		f, err := v.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return times
		}
		if err != nil {
			t.Fatalf("Next after %d frames: %v", len(times), err)
		}
		if n := len(times); n > 0 && f.PTS <= times[n-1] {
			t.Fatalf("frame %d: time %v is not after %v", n, f.PTS, times[n-1])
		}
		times = append(times, f.PTS)
		f.Release()
	}
}

func openFile(t *testing.T, path string, opt VideoOptions) *Video {
	t.Helper()
	spec, err := capture.ParseSpec(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := OpenVideo(context.Background(), spec, opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestOddVideos reads the first frames of every odd clip: an error or frames, soon.
func TestOddVideos(t *testing.T) {
	for _, path := range sharedVideos(t, "odd") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			start := time.Now()
			n, err := firstFrames(path, 10)
			if n == 0 && (err == nil || !strings.Contains(err.Error(), filepath.Base(path))) {
				t.Errorf("got no frame and %v, want an error with the name", err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("got more than one line: %v", err)
			}
			t.Logf("%d frames in %v, %v", n, time.Since(start).Round(time.Millisecond), err)
		})
	}
}

func firstFrames(path string, most int) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	spec, err := capture.ParseSpec(path)
	if err != nil {
		return 0, err
	}
	v, err := OpenVideo(ctx, spec, VideoOptions{})
	if err != nil {
		return 0, err
	}
	defer v.Close()
	for ; n < most; n++ {
		f, err := v.Next(ctx)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		f.Release()
	}
	return n, nil
}

// TestRotation compares the first picture of turned videos with what ffmpeg shows.
func TestRotation(t *testing.T) {
	for _, c := range []struct {
		name string
		w, h int
	}{
		{"decord__video_0.mov", 568, 320},
		{"decord__video_90.mov", 320, 568},
		{"decord__video_180.mov", 568, 320},
		{"decord__video_270.mov", 320, 568},
		{"mp4parse__video_rotation_90.mp4", 60, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := sharedVideo(t, filepath.Join("odd", c.name))
			ffmpeg, err := exec.LookPath("ffmpeg")
			if err != nil {
				t.Skip("no ffmpeg to compare with")
			}
			want, err := exec.Command(ffmpeg, "-v", "quiet", "-i", path, "-frames:v", "1",
				"-f", "rawvideo", "-pix_fmt", "bgr24", "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			v := openFile(t, path, VideoOptions{})
			defer v.Close()
			f, err := v.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if info := v.Info(); f.W != c.w || f.H != c.h || info.W != c.w || info.H != c.h {
				t.Fatalf("got %dx%d and %dx%d stated, want %dx%d", f.W, f.H, info.W, info.H, c.w, c.h)
			}
			if d := meanDifference(f.Pix, want); d > 3 {
				t.Errorf("the picture differs by %.1f grey values", d)
			}
		})
	}
}
