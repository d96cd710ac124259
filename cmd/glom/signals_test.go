package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child prepares glom as a process of its own, which ends at the latest after a minute.
func child(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), "GLOM_TEST_MAIN=1")
	return cmd
}

// TestSignals stops a run that would not end: the file is finished, the exit code tells the signal.
func TestSignals(t *testing.T) {
	for _, tt := range []struct {
		sig  syscall.Signal
		code int
		want string
	}{{syscall.SIGINT, 130, "interrupt"}, {syscall.SIGTERM, 143, "terminated"}, {syscall.SIGHUP, 129, "hangup"}} {
		out := filepath.Join(t.TempDir(), "x.mkv")
		cmd := child(t, "process", "synthetic:demo?size=96x64&frames=-1", "-o", out, "--json", "-", "-q")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(stdout)
		for range 10 {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err, stderr.String())
			}
		}
		if err := cmd.Process.Signal(tt.sig); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait() // it fails with the exit code
		if got := cmd.ProcessState.ExitCode(); got != tt.code {
			t.Errorf("%v: exit code %d, want %d", tt.sig, got, tt.code)
		}
		if text := stderr.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, tt.want) || !strings.Contains(text, out) {
			t.Errorf("%v: %q", tt.sig, text)
		}
		if got := count(t, out).Packets; got < 10 {
			t.Errorf("%v: %d frames in the file", tt.sig, got)
		}
	}
}

// TestSecondSignal has a run that cannot go on, because nobody reads its output: the first signal
// waits for the frame, the second does not.
func TestSecondSignal(t *testing.T) {
	cmd := child(t, "process", "synthetic:demo?size=96x64&frames=-1", "--json", "-", "-q")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case <-done:
			if got := cmd.ProcessState.ExitCode(); got != 130 {
				t.Errorf("exit code %d, want 130", got)
			}
			return
		case <-time.After(50 * time.Millisecond): // signals that come at once count as one
		}
	}
}

// TestBrokenPipe has a reader that goes away after one line.
func TestBrokenPipe(t *testing.T) {
	cmd := child(t, "process", "synthetic:demo?size=96x64&frames=-1", "--json", "-", "-q")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stdout.Close()
	_ = cmd.Wait() // it fails with the exit code
	text := stderr.String()
	if cmd.ProcessState.ExitCode() != exitFailed || strings.Count(text, "\n") != 1 || !strings.Contains(text, "broken pipe") {
		t.Errorf("exit code %d, %q", cmd.ProcessState.ExitCode(), text)
	}
}

// TestBench is a short run, whose numbers mean nothing but must be there.
func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("draws and encodes 240 frames, which takes minutes under the race detector")
	}
	out := []byte(succeed(t, "bench", "--frames", "3", "--rounds", "1", "--torch", "none", "--json"))
	var report map[string]any
	var typed benchReport
	if err := errors.Join(json.Unmarshal(out, &report), json.Unmarshal(out, &typed)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"pipeline", "step"} {
		values, ok := report[part].(map[string]any)
		if !ok {
			t.Fatalf("no %s in %v", part, report)
		}
		for name, v := range values {
			if n, ok := v.(float64); ok && !(n > 0 && !math.IsInf(n, 0)) {
				t.Errorf("%s: %s is %v", part, name, n)
			}
		}
	}
	if report["torch"] != nil || report["no_torch"] == "" {
		t.Errorf("--torch none: %v, %v", report["torch"], report["no_torch"])
	}
	var b strings.Builder
	if err := typed.print(&b); err != nil {
		t.Fatal(err)
	}
	table := b.String()
	for _, want := range []string{"video", "640x360", "PyTorch"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table does not tell of %q:\n%s", want, table)
		}
	}
}
