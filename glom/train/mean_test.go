package train

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestMean(t *testing.T) {
	a, b := learnt(t), fresh(t, small())
	var out bytes.Buffer
	if err := Mean(&out, written(t, a.SaveWeights), written(t, b.Save)); err != nil {
		t.Fatal(err)
	}
	// The weights for use are the averaged ones of a run, those of its checkpoint are not.
	_, first, firstFront, err := readNets(written(t, a.SaveWeights))
	if err != nil {
		t.Fatal(err)
	}
	_, model, front, err := readNets(&out)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range model.Params.All {
		if want := (first.Params.All[i] + b.model.Params.All[i]) / 2; math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("weight %d of the model is %v, want %v", i, v, want)
		}
	}
	for i, v := range front.Params {
		if want := (firstFront.Params[i] + b.front.Params[i]) / 2; math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("weight %d of the front end is %v, want %v", i, v, want)
		}
	}
}

func TestMeanRefuses(t *testing.T) {
	other := small()
	other.Model.Hidden = 2 * learnt(t).model.Config().Hidden
	err := Mean(new(bytes.Buffer), written(t, learnt(t).SaveWeights), written(t, fresh(t, other).SaveWeights))
	if err == nil || !strings.Contains(err.Error(), "file 2 is of another model") {
		t.Errorf("another shape: %v", err)
	}
	if err := Mean(new(bytes.Buffer), strings.NewReader("nothing")); err == nil || !strings.Contains(err.Error(), "file 1") {
		t.Errorf("no weights: %v", err)
	}
	if err := Mean(new(bytes.Buffer)); err == nil {
		t.Error("no file: no error")
	}
}
