package trained_test

import (
	"fmt"
	"testing"

	"glomstream/glom"
	"glomstream/glom/conv"
	"glomstream/glom/trained"
)

// TestWeights reads what ships: a model that learned, and a front end that fits it.
func TestWeights(t *testing.T) {
	if n := trained.Size(); n > 4<<20 {
		t.Errorf("the weights have %d bytes, want 4 MB at most", n)
	}
	f, err := trained.Weights()
	if err != nil {
		t.Fatal(err)
	}
	m, err := glom.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Config()
	for l, net := range m.Params.BU {
		var sum float32
		for _, v := range net.W2 {
			sum += v * v
		}
		if sum == 0 {
			t.Errorf("the bottom-up net of level %d has learned nothing", l+1)
		}
	}
	net, err := conv.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(net.ONNX(176, 320)) == 0 {
		t.Error("the front end gives no ONNX net")
	}
	if c.Levels != 5 {
		t.Errorf("%d levels, want 5", c.Levels)
	}
}

func ExampleWeights() {
	f, err := trained.Weights()
	if err != nil {
		panic(err)
	}
	m, err := glom.FromFile(f)
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Config().Levels, "levels of", m.Config().Dim, "dimensions")
	// Output: 5 levels of 64 dimensions
}
