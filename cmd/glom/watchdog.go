package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"glomstream/capture"
	"glomstream/pipeline"
)

// The stages that can hang, in the order in which a frame takes them.
const (
	atCapture = iota // a source is asked for a frame, or opened again
	atModel          // a frame is on its way to a result
	atOutput         // a result is handed to files and to those who show it
	atEncode         // a picture is drawn and compressed for viewers
	atStream         // it is sent
	stages
)

func stageNames() [stages]string {
	return [stages]string{"capture", "model", "output", "encode", "stream"}
}

// hungAfter is how long a stage may be at one piece of work. All of them take less than a second.
const hungAfter = 10 * time.Second

// watchdog knows for how long each stage has been at its present piece of work, and what the source
// does. A stage that has nothing to do is not at anything, however long that lasts. The zero value is
// ready for use. The lock is never held while anything is waited for.
type watchdog struct {
	patient bool                                // the source may take as long as it likes
	open    time.Duration                       // that the source itself gives up after
	shown   func() (encode, send time.Duration) // of the pictures; nil: there are none
	sent    func() time.Duration                // to each viewer; nil: there are none

	mu     sync.Mutex
	since  [atOutput + 1]time.Time // when the present piece of work began; zero: there is none
	newest uint64                  // number of the last frame that the source gave
	given  bool                    // there is one
	lost   time.Time               // when the source was lost; zero: it is here
	again  time.Time               // when it is opened again
	ended  bool
}

// at notes that a stage begins with something, and returns what is to be called when it is over.
func (w *watchdog) at(stage int) (over func()) {
	w.set(stage, time.Now())
	return func() { w.set(stage, time.Time{}) }
}

func (w *watchdog) set(stage int, t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since[stage] = t
}

// asked watches a source itself: its own pace, and the waits before it is opened again, are not in it.
func (w *watchdog) asked(src capture.Source) capture.Source { return &askedSource{src, w} }

type askedSource struct {
	capture.Source
	dog *watchdog
}

func (s *askedSource) Next(ctx context.Context) (capture.Frame, error) {
	defer s.dog.at(atCapture)()
	f, err := s.Source.Next(ctx)
	if err == nil {
		s.dog.mu.Lock()
		s.dog.lost = time.Time{}
		s.dog.mu.Unlock()
	}
	return f, err
}

// lose notes that the source is lost, and is opened again after a while.
func (w *watchdog) lose(wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.lost.IsZero() {
		w.lost = now
	}
	w.again = now.Add(wait)
}

// gives watches what comes out of a source: with each frame the model has something to do.
func (w *watchdog) gives(src capture.Source) capture.Source { return &givingSource{src, w} }

type givingSource struct {
	capture.Source
	dog *watchdog
}

func (s *givingSource) Next(ctx context.Context) (capture.Frame, error) {
	f, err := s.Source.Next(ctx)
	w := s.dog
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.newest, w.given = f.Seq, true
		if w.since[atModel].IsZero() {
			w.since[atModel] = time.Now()
		}
	case errors.Is(err, io.EOF):
		w.ended = true
	}
	return f, err
}

// sink watches sinks, which take the results one after the other.
func (w *watchdog) sink(sinks []pipeline.Sink) pipeline.Sink { return &watchedSinks{sinks, w} }

type watchedSinks struct {
	sinks []pipeline.Sink
	dog   *watchdog
}

func (s *watchedSinks) Write(r *pipeline.Result) error {
	s.dog.result(r.Frame.Seq)
	defer s.dog.at(atOutput)()
	for _, sink := range s.sinks {
		if err := sink.Write(r); err != nil {
			return err
		}
	}
	return nil
}

// result notes that the model is done with a frame.
func (w *watchdog) result(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since[atModel] = time.Now()
	if seq == w.newest {
		w.since[atModel] = time.Time{}
	}
}

// busy returns for how long each stage has been at its present piece of work. What a stage waits for is
// counted there.
func (w *watchdog) busy() (d [stages]time.Duration) {
	w.mu.Lock()
	now := time.Now()
	for i, t := range w.since {
		if !t.IsZero() {
			d[i] = now.Sub(t)
		}
	}
	w.mu.Unlock()
	d[atModel] = max(0, d[atModel]-d[atOutput])
	if w.shown != nil {
		d[atEncode], d[atStream] = w.shown()
	}
	if w.sent != nil {
		d[atStream] = max(d[atStream], w.sent())
	}
	return d
}

// hung returns which stages have been at one piece of work for longer than that, and since when.
func (w *watchdog) hung(after time.Duration) error {
	var lines []string
	for i, d := range w.busy() {
		limit := after
		if i == atCapture {
			limit += w.open
		}
		if d > limit && !(i == atCapture && w.patient) {
			lines = append(lines, fmt.Sprintf("%s hangs: at the same piece of work for %.0f s, since %s",
				stageNames()[i], d.Seconds(), time.Now().Add(-d).Format(time.RFC3339)))
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// silence is how long a source may be asked for a frame without being called silent.
const silence = 2 * time.Second

// source says what the source does.
func (w *watchdog) source() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	asked := w.since[atCapture]
	switch {
	case w.ended:
		return "ended"
	case !w.lost.IsZero() && now.Before(w.again):
		return fmt.Sprintf("lost for %.0f s, is opened again in %.0f s", now.Sub(w.lost).Seconds(), w.again.Sub(now).Seconds())
	case !w.lost.IsZero():
		return fmt.Sprintf("lost for %.0f s, is being opened again", now.Sub(w.lost).Seconds())
	case !asked.IsZero() && now.Sub(asked) > silence:
		return fmt.Sprintf("silent for %.0f s", now.Sub(asked).Seconds())
	case !w.given:
		return "gave no frame yet"
	}
	return "gives frames"
}
