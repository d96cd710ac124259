//go:build cgo && !novpx

package record

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"glomstream/capture"
	"glomstream/capture/libav"
	"glomstream/overlay/vpx"
)

// TestPlay reads recordings of real streams with FFmpeg: while they are written, and afterwards.
func TestPlay(t *testing.T) {
	for _, codec := range []vpx.Codec{vpx.VP8, vpx.VP9} {
		t.Run(string(codec), func(t *testing.T) {
			const w, h, n = 160, 90, 100
			dir := t.TempDir()
			r := open(t, Config{Dir: dir, Codec: string(codec)})
			enc, err := vpx.New(vpx.Config{Codec: codec, W: w, H: h, KeyEvery: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = enc.Close() }()
			var p vpx.Packet
			f := capture.NewPool(1).Frame(w, h)
			for i := range n {
				for j := range f.Pix {
					f.Pix[j] = byte(j/w + i)
				}
				f.PTS = time.Duration(i) * frame
				if err := enc.Encode(&p, &f, false); err != nil {
					t.Fatal(err)
				}
				if len(p.Data) == 0 {
					t.Fatalf("the rate control left out frame %d", i)
				}
				if err := r.Write(p.Data, p.Key, p.PTS, p.W, p.H); err != nil {
					t.Fatal(err)
				}
				if i == n/2 {
					for r.pending() > 0 {
						time.Sleep(time.Millisecond)
					}
					half := filepath.Join(t.TempDir(), "half.webm")
					duplicate(t, half, names(t, dir)[0])
					played(t, half, libav.ProbeInfo{Codec: string(codec), W: w, H: h, Packets: n/2 + 1, Last: n / 2 * frame})
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			played(t, names(t, dir)[0], libav.ProbeInfo{
				Codec: string(codec), W: w, H: h, Packets: n, Last: (n - 1) * frame, Duration: n * frame,
			})
		})
	}
}

// pending is how many bytes are not written yet.
func (r *Recorder) pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

func duplicate(t *testing.T, to, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// played compares what FFmpeg finds in a file. It also decodes the first picture.
func played(t *testing.T, path string, want libav.ProbeInfo) {
	t.Helper()
	got, err := libav.Count(path, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	near := func(a, b time.Duration) bool { return (a - b).Abs() <= time.Millisecond }
	if got.Codec != want.Codec || got.W != want.W || got.H != want.H || got.Packets != want.Packets ||
		!near(got.Last, want.Last) || !near(got.Duration, want.Duration) {
		t.Errorf("FFmpeg finds %+v, want %+v", got, want)
	}
}
