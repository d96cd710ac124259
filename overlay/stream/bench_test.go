package stream

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWrite measures Write of a frame of 6 kB (1.5 Mbit/s at 30 frames a second) until all viewers
// were sent it. The viewers run in this process, so "cpu-ms/frame" holds their work too.
func BenchmarkWrite(b *testing.B) {
	for _, viewers := range []int{0, 1, 8, 32} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			s, url := serve(b, Config{})
			for range viewers {
				post(b, url, clientOptions{})
			}
			until(b, "all there", func() bool { return s.Watching(0) == viewers })
			var inside time.Duration
			start, sent := cpuTime(b), uint64(0)
			n := 0
			for b.Loop() {
				f := frame(n, true, 6250)
				t := time.Now()
				s.Write(0, f)
				inside += time.Since(t)
				n++
				sent += uint64(viewers)
				for s.Stats().Sent+s.Stats().Dropped < sent {
					time.Sleep(20 * time.Microsecond)
				}
			}
			b.ReportMetric(float64(inside.Microseconds())/float64(b.N), "µs-in-Write/op")
			b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			if d := s.Stats().Dropped; d > 0 {
				b.Logf("%d frames dropped", d)
			}
		})
	}
}

// BenchmarkPacketise measures the part of a frame that does not depend on the number of viewers.
func BenchmarkPacketise(b *testing.B) {
	cfg, err := Config{}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	p := newPicture(0, "x", &cfg)
	f := frame(0, true, 6250)
	b.SetBytes(6250)
	for b.Loop() {
		p.payloader.Payload(payloadSize, f.Data)
	}
}

// cpuTime returns what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
