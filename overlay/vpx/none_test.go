//go:build !cgo || novpx

package vpx

import (
	"strings"
	"testing"
)

func TestNone(t *testing.T) {
	e, err := New(Config{W: 640, H: 360})
	if e != nil || err == nil || !strings.Contains(err.Error(), "without libvpx") {
		t.Errorf("New: %v, %v", e, err)
	}
	if d, err := NewDecoder(VP8); d != nil || err == nil {
		t.Errorf("NewDecoder: %v, %v", d, err)
	}
}
