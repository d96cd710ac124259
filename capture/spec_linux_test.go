package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestParseSpecPermission(t *testing.T) {
	dir := tree(t, "secret.mp4", "secret.png", "closed/a.png", "open/locked.png")
	// t.TempDir's own parent is closed to others.
	for path, mode := range map[string]os.FileMode{
		filepath.Dir(dir): 0o755, dir: 0o755, "secret.mp4": 0, "secret.png": 0, "closed": 0, "open/locked.png": 0,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod("closed", 0o755)
	defer asNobody(t)()
	for _, in := range []string{"secret.mp4", "secret.png", "closed", "closed/a.png"} {
		_, err := ParseSpec(in)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), in) {
			t.Errorf("%q: got %v, want that permission is denied", in, err)
		}
	}
	spec, err := ParseSpec("open")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenImages(spec, 0); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "locked.png") {
		t.Errorf("got %v, want that permission for locked.png is denied", err)
	}
}

// asNobody takes root's right to read everything from this thread, until the function that it
// returns is called. Another user has no such right, so nothing is done.
func asNobody(t *testing.T) (back func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func() {}
	}
	setfsuid := func(uid uintptr) {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, uid, 0, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	runtime.LockOSThread()
	setfsuid(65534)
	return func() {
		setfsuid(0)
		runtime.UnlockOSThread()
	}
}
