//go:build matprofile

package opencv

import (
	"context"
	"testing"

	"gocv.io/x/gocv"

	"glomstream/capture"
)

func TestNoMatLeft(t *testing.T) {
	path := writeVideo(t, testW, testH)
	for _, net := range []string{"", "testdata/flow.onnx", "testdata/rgb.onnx", "testdata/stride16.onnx", "testdata/text.onnx"} {
		e, err := NewFrontEnd(FrontEndConfig{Net: net})
		if err != nil {
			continue
		}
		v, err := OpenVideo(context.Background(), fileSpec(path), VideoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var ev capture.Evidence
		for {
			f, err := v.Next(context.Background())
			if err != nil {
				break
			}
			if err := e.Evidence(&ev, &f); err != nil {
				t.Fatal(err)
			}
			f.Release()
		}
		v.Close()
		e.Close()
		e.Close()
	}
	if n := gocv.MatProfile.Count(); n != 0 {
		t.Errorf("%d Mats left", n)
	}
}
