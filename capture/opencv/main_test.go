package opencv

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sharedVideos lists the real clips beside a checkout, or skips.
func sharedVideos(t *testing.T, folder string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("../../../shared/data/videos", folder, "*"))
	if err != nil || len(names) == 0 {
		t.Skip("no real clips at ../shared/data/videos beside the checkout")
	}
	return names
}

func sharedVideo(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("../../../shared/data/videos", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no real clips at ../shared/data/videos beside the checkout")
	}
	return path
}
