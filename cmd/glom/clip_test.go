package main

import (
	"errors"
	"flag"
	"io"
	"path/filepath"
	"testing"

	"glomstream/capture/libav"
	"glomstream/capture/scene"
)

// clip is the start of the scene sprites as a video file, for tests and for trying things out.
const clip = "../../testdata/sprites.mkv"

var update = flag.Bool("update", false, "record testdata/sprites.mkv anew")

func recordClip(t *testing.T) {
	t.Helper()
	src, err := scene.New(scene.Config{Name: "sprites", W: 160, H: 96, Frames: 24})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	rec, err := libav.Create(clip, libav.Options{W: 160, H: 96, FPS: 30, Overwrite: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := src.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = rec.Write(&f)
			f.Release()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestClip takes a file that is the same on every machine through everything.
func TestClip(t *testing.T) {
	if *update {
		recordClip(t)
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out.mkv")
	lines := readLines(t, succeed(t, "process", clip, "-o", out, "--masks", filepath.Join(dir, "masks"), "--json", "-", "-q"))
	if len(lines) != 24 || count(t, out).Packets != 24 {
		t.Fatalf("%d lines, %d frames, want 24", len(lines), count(t, out).Packets)
	}
	if n := len(lines[23].Levels[3].Islands); n < 2 {
		t.Errorf("the object level has %d islands, want several", n)
	}
	if ids := readMask(t, filepath.Join(dir, "masks", "level3", "00023.png"), 160, 96); len(ids) < 2 {
		t.Errorf("the mask has ids %v, want several", ids)
	}
}
