package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"glomstream/overlay/record"
)

// Six packets, every third of which is a key frame, become two files of 3/30 of a second.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	rec, err := record.New(record.Config{Dir: dir, Segment: 100 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 6 {
		pts := time.Duration(i) * time.Second / 30
		if err := rec.Write([]byte("compressed"), i%3 == 0, pts, 640, 360); err != nil {
			fmt.Println(err)
		}
	}
	if err := rec.Close(); err != nil {
		fmt.Println(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.webm"))
	fmt.Println(len(files), "files,", rec.Dropped(), "dropped", err)
	// Output: 2 files, 0 dropped <nil>
}
