//go:build cgo && !novpx

package vpx

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkEncode plays a scene at 1.5 Mbit/s, 4 at 1280x720. Where others use the processor too,
// cpu-ms is the number to look at.
func BenchmarkEncode(b *testing.B) {
	for _, size := range [][3]int{{640, 360, 1_500_000}, {1280, 720, 4_000_000}} {
		frames := film(b, size[0], size[1], 30)
		for _, c := range []Config{{Codec: VP8}, {Codec: VP8, Layers: 3}, {Codec: VP9}, {Codec: VP9, Layers: 3}} {
			c.W, c.H, c.Bitrate = size[0], size[1], size[2]
			b.Run(fmt.Sprintf("%dx%d/%s/layers=%d", c.W, c.H, c.Codec, max(1, c.Layers)), func(b *testing.B) {
				e := open(b, c)
				var p Packet
				i := 0
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				start := used(b)
				for b.Loop() {
					if err := e.Encode(&p, play(frames, i), false); err != nil {
						b.Fatal(err)
					}
					i++
				}
				b.ReportMetric((used(b)-start).Seconds()*1000/float64(b.N), "cpu-ms/frame")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
			})
		}
	}
}

// used is the processor time of this thread.
func used(b *testing.B) time.Duration {
	b.Helper()
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
