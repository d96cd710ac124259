package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestExitCodes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "w")
	small := []string{"-q", "--size", "32x32", "--frames", "2", "--updates", "3"}
	if code := run(t.Context(), small); code != 2 {
		t.Errorf("without -o: exit code %d, want 2", code)
	}
	if code := run(t.Context(), append(small, "-o", out, "none.clips")); code != 1 {
		t.Errorf("a store that is not there: exit code %d, want 1", code)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signalError{syscall.SIGINT})
	if code := run(ctx, append(small, "-o", out)); code != 130 {
		t.Errorf("after Ctrl-C: exit code %d, want 130", code)
	}
	if _, err := os.Stat(out + ".checkpoint"); err != nil {
		t.Errorf("after Ctrl-C: %v, want a checkpoint", err)
	}
}
