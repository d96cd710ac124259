package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"glomstream/capture"
)

// Whichever stage fails, the frames before are written, the error names frame and stage, and
// nothing is left.
func TestErrors(t *testing.T) {
	at5 := func(seq uint64) error {
		if seq == 5 {
			return errBoom
		}
		return nil
	}
	for _, tt := range []struct {
		name  string
		fault func(c *Config, src *clip, fe *blocks)
		want  string
		boom  bool
	}{
		{"source", func(_ *Config, src *clip, _ *blocks) {
			src.before = func(i int) error { return at5(uint64(i)) }
		}, "boom", true},
		{"source wraps EOF", func(_ *Config, src *clip, _ *blocks) {
			src.before = func(i int) error {
				if i == 5 {
					return fmt.Errorf("read header: %w", io.EOF)
				}
				return nil
			}
		}, "read header: EOF", false},
		{"front end", func(_ *Config, _ *clip, fe *blocks) {
			fe.before = func(f *capture.Frame) error { return at5(f.Seq) }
		}, "frame 5: front end: boom", true},
		{"evidence of another dimension", func(_ *Config, _ *clip, fe *blocks) {
			fe.before = func(f *capture.Frame) error {
				if f.Seq == 5 {
					fe.dim = 8
				}
				return nil
			}
		}, "frame 5: front end: evidence is (8, 12, 8) with 768 values, want (8, 12, 16)", false},
		{"grid", func(_ *Config, src *clip, fe *blocks) {
			src.room = [2]int{2080, 2080}
			src.size = func(i int) (w, h int) {
				if i >= 5 {
					return 2080, 2080
				}
				return 96, 64
			}
		}, "frame 5: settle: glom: grid of 260 by 260", false},
		{"sink", func(c *Config, _ *clip, _ *blocks) {
			c.Sinks = append([]Sink{sink(func(r *Result) error { return at5(r.Frame.Seq) })}, c.Sinks...)
		}, "frame 5: boom", true},
		{"a sink before a front end that is ahead", func(c *Config, _ *clip, fe *blocks) {
			fe.before = func(f *capture.Frame) error {
				if f.Seq == 7 {
					return errors.New("too late")
				}
				return nil
			}
			c.Sinks = append([]Sink{sink(func(r *Result) error { time.Sleep(time.Second); return at5(r.Frame.Seq) })}, c.Sinks...)
		}, "frame 5: boom", true},
	} {
		for _, latest := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/latest=%v", tt.name, latest), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					src := newClip(100)
					src.every = 10 * time.Second // slower than any stage, so that Latest drops nothing
					if !latest {
						src.every = 0
					}
					c, fe := newConfig(t, src)
					c.Latest = latest
					c.InFlight = 4
					var seqs []uint64
					c.Sinks = []Sink{numbers(&seqs)}
					tt.fault(&c, src, fe)
					stats, err := Run(t.Context(), c)
					if err == nil || !strings.HasPrefix(err.Error(), tt.want) || errors.Is(err, errBoom) != tt.boom {
						t.Errorf("got error %v, want %v", err, tt.want)
					}
					if stats.Frames != 5 {
						t.Errorf("got %d frames, want 5", stats.Frames)
					}
					checkSeqs(t, seqs, 5)
					if src.next > 5+c.InFlight+1 {
						t.Errorf("%d frames were read", src.next)
					}
					src.checkReleased(t)
				})
			})
		}
	}
}

// A front end is not called again after it failed.
func TestFrontEndFailsOnce(t *testing.T) {
	c, fe := newConfig(t, newClip(100))
	c.InFlight = 8
	fe.before = func(f *capture.Frame) error {
		if f.Seq >= 5 {
			return errBoom
		}
		return nil
	}
	if _, err := Run(t.Context(), c); !errors.Is(err, errBoom) || fe.calls != 6 {
		t.Errorf("error %v, %d calls, want boom and 6", err, fe.calls)
	}
}

// Wherever the run is cancelled, frames that were started are written, and the cause comes back.
func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	for _, latest := range []bool{false, true} {
		for _, tt := range []struct {
			stage string
			least int // frames that were started for sure when frame 5 is in that stage
			hook  func(c *Config, src *clip, fe *blocks, at func(seq uint64))
		}{
			{"source", 5, func(_ *Config, src *clip, _ *blocks, at func(uint64)) {
				src.before = func(i int) error { at(uint64(i)); return nil }
			}},
			{"front end", 6, func(_ *Config, _ *clip, fe *blocks, at func(uint64)) {
				fe.before = func(f *capture.Frame) error { at(f.Seq); return nil }
			}},
			{"sink", 6, func(c *Config, _ *clip, _ *blocks, at func(uint64)) {
				c.Sinks = append(c.Sinks, sink(func(r *Result) error { at(r.Frame.Seq); return nil }))
			}},
			{"progress", 6, func(c *Config, _ *clip, _ *blocks, at func(uint64)) {
				c.Progress = func(s Stats) { at(uint64(s.Frames) - 1) }
			}},
		} {
			t.Run(fmt.Sprintf("%s/latest=%v", tt.stage, latest), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					src := newClip(1000)
					if latest {
						src.every = time.Second
					}
					c, fe := newConfig(t, src)
					c.Latest = latest
					c.InFlight = 3
					var seqs []uint64
					c.Sinks = []Sink{numbers(&seqs)}
					tt.hook(&c, src, fe, func(seq uint64) {
						if seq == 5 {
							cancel(cause)
						}
					})
					stats, err := Run(ctx, c)
					if err != cause {
						t.Errorf("got error %v, want %v", err, cause)
					}
					if stats.Frames < tt.least || stats.Frames > 6+c.InFlight {
						t.Errorf("%d frames, want %d to %d", stats.Frames, tt.least, 6+c.InFlight)
					}
					checkSeqs(t, seqs, stats.Frames)
					src.checkReleased(t)
				})
			})
		}
	}
}

// A source that gives nothing for an hour is left when the context is done.
func TestCancelBlockedSource(t *testing.T) {
	for _, latest := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			src := newClip(10)
			src.every = time.Hour
			c, _ := newConfig(t, src)
			c.Latest = latest
			stats, err := Run(ctx, c)
			if err != context.DeadlineExceeded || stats.Frames != 1 || stats.Wall != time.Minute {
				t.Errorf("latest %v: got %d frames, error %v after %v, want 1, deadline exceeded after 1m", latest, stats.Frames, err, stats.Wall)
			}
		})
	}
}

// The frame that waits in the mailbox when a run is cancelled is released.
func TestCancelEmptiesMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
		defer cancel()
		src := newClip(1000)
		src.every = 100 * time.Millisecond
		c, fe := newConfig(t, src)
		c.Latest = true
		fe.before = func(*capture.Frame) error { time.Sleep(time.Second); return nil }
		stats, err := Run(ctx, c)
		if err != context.DeadlineExceeded || stats.Frames != 2 || stats.Dropped != 7 {
			t.Errorf("%d frames, %d dropped, error %v, want 2, 7, deadline exceeded", stats.Frames, stats.Dropped, err)
		}
		src.checkReleased(t)
	})
}

// A sink that fails ends a run whose source is blocked.
func TestErrorUnblocksSource(t *testing.T) {
	for _, latest := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			src := newClip(10)
			src.every = time.Hour
			c, _ := newConfig(t, src)
			c.Latest = latest
			c.Sinks = []Sink{sink(func(*Result) error { return errBoom })}
			stats, err := Run(t.Context(), c)
			if !errors.Is(err, errBoom) || stats.Wall != 0 {
				t.Errorf("latest %v: got error %v after %v, want boom at once", latest, err, stats.Wall)
			}
		})
	}
}

// A panic in a stage ends the program with its text. It is tried in a child process.
func TestPanicIsNotSwallowed(t *testing.T) {
	if os.Getenv("PIPELINE_PANIC") != "" {
		c, fe := newConfig(t, newClip(10))
		fe.before = func(f *capture.Frame) error {
			if f.Seq == 3 {
				panic("front end is broken")
			}
			return nil
		}
		_, err := Run(t.Context(), c)
		t.Fatalf("Run returned %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPanicIsNotSwallowed$")
	cmd.Env = append(os.Environ(), "PIPELINE_PANIC=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: front end is broken") {
		t.Errorf("child ended with %v and said %s", err, out)
	}
}
