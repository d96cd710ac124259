package record

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fails writes until there is an error, which must name the file and have want, and must stay.
func fails(t *testing.T, r *Recorder, want ...string) {
	t.Helper()
	var err error
	for i := 0; err == nil && i < 2000; i++ {
		err = r.Write(make([]byte, 1000), i%30 == 0, time.Duration(i)*frame, 64, 48)
		time.Sleep(time.Millisecond)
	}
	if err == nil {
		t.Fatal("no error came")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q lacks %q", err, w)
		}
	}
	if e := r.Write([]byte{1}, true, 0, 64, 48); e != err {
		t.Errorf("the next Write returned %v", e)
	}
	if r.WantsKey() {
		t.Error("it wants a key frame although it is broken")
	}
	for range 2 {
		if e := r.Close(); e != err {
			t.Errorf("Close returned %v instead of %v", e, err)
		}
	}
}

func TestFolderRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	r := open(t, Config{Dir: dir})
	stream(t, r, 0, 10)
	for len(names(t, dir)) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fails(t, r, dir, ".webm", "removed")
}

func TestFolderRemovedBefore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	r := open(t, Config{Dir: dir})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fails(t, r, dir, ".webm", "no such file")
}

func TestFileReplaced(t *testing.T) {
	dir := t.TempDir()
	r := open(t, Config{Dir: dir})
	stream(t, r, 0, 10)
	for len(names(t, dir)) == 0 {
		time.Sleep(time.Millisecond)
	}
	path := names(t, dir)[0]
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("Close: %v", err)
	}
}

// TestReadOnly uses a folder that nobody may write into: by its mode, or as root by a mount.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		mount(t, dir, "ro")
	} else if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	r := open(t, Config{Dir: dir})
	want := "permission denied"
	if os.Geteuid() == 0 {
		want = "read-only"
	}
	fails(t, r, dir, ".webm", want)
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir, "size=64k")
	r := open(t, Config{Dir: dir})
	fails(t, r, dir, ".webm", "no space left", "frames")
	paths := names(t, dir)
	if len(paths) != 1 {
		t.Fatalf("%d files, want one", len(paths))
	}
	if info, err := os.Stat(paths[0]); err != nil || info.Size() < 32<<10 {
		t.Errorf("what was written is gone: %v, %v", info, err)
	}
}

// mount makes dir a small disk, or skips the test where that is not allowed.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	flags := uintptr(0)
	if options == "ro" {
		flags, options = syscall.MS_RDONLY, ""
	}
	if err := syscall.Mount("none", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("a disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// child is what this program does when a test runs it as a program of its own; false when it
// does not.
func child(dir string) bool {
	if dir == "" {
		return false
	}
	limit := syscall.Rlimit{Cur: 40_000, Max: 40_000}
	if os.Getenv("RECORD_LIMIT") != "" {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
			return true
		}
	}
	r, err := New(Config{Dir: dir})
	for i := 0; err == nil; i++ {
		err = r.Write(make([]byte, 1000), i%30 == 0, time.Duration(i)*frame, 64, 48)
		if i == 300 {
			fmt.Println("ten seconds")
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println(err)
	return true
}

func program(dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "RECORD_CHILD="+dir), env...)
	return cmd
}

// TestFileLimit is a file system that does not hold larger files.
func TestFileLimit(t *testing.T) {
	dir := t.TempDir()
	out, err := program(dir, "RECORD_LIMIT=1").CombinedOutput()
	if err != nil || !strings.Contains(string(out), dir) || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v: %s", err, out)
	}
	if len(names(t, dir)) != 1 {
		t.Errorf("%d files, want one", len(names(t, dir)))
	}
}

// TestKill ends a recording by SIGKILL; everything up to the last moment must be there.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	cmd := program(dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // ten seconds were written
		t.Error(err)
	}
	time.Sleep(50 * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	c := read(t, names(t, dir)[0])
	if len(c.packets) < 300 {
		t.Errorf("%d packets can be read, want 300", len(c.packets))
	}
}
