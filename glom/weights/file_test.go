package weights

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

type config struct {
	Size int `json:"size"`
}

// file returns a file with a model of one tensor and another part of two.
func file(t testing.TB) []byte {
	t.Helper()
	var f File
	err := errors.Join(
		f.Add(Model, config{2}, []Tensor{{"bu.1", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}}),
		f.Add("front", config{3}, []Tensor{{"front.a", []int{1}, []float32{7}}, {"front.b", []int{2}, []float32{8, 9}}}))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestParts(t *testing.T) {
	f, err := Read(bytes.NewReader(file(t)))
	if err != nil {
		t.Fatal(err)
	}
	var c config
	if err := f.Config("front", &c); err != nil || c.Size != 3 {
		t.Errorf("configuration %+v, error %v", c, err)
	}
	model, a, b := make([]float32, 6), make([]float32, 1), make([]float32, 2)
	if err := f.Fill(Model, []Tensor{{"bu.1", []int{2, 3}, model}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Fill("front", []Tensor{{"front.b", []int{2}, b}, {"front.a", []int{1}, a}}); err != nil {
		t.Fatal(err)
	}
	if got := slices.Concat(model, a, b); !slices.Equal(got, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("got %v", got)
	}
	if !f.Has("front") || f.Has("back") {
		t.Error("Has is wrong")
	}
	if err := f.Config("back", &c); !errors.Is(err, ErrNoPart) {
		t.Errorf("a part that is not there: %v, want %v", err, ErrNoPart)
	}
}

func TestFillRefuses(t *testing.T) {
	f, err := Read(bytes.NewReader(file(t)))
	if err != nil {
		t.Fatal(err)
	}
	one, two := make([]float32, 1), make([]float32, 2)
	for _, tt := range []struct {
		list []Tensor
		want string
	}{
		{[]Tensor{{"front.a", []int{1}, one}}, "2 tensors, want 1: front.a front.b"},
		{[]Tensor{{"front.c", []int{1}, one}}, "front.c is missing"},
		{[]Tensor{{"front.b", []int{2, 1}, two}}, "shape [2], want [2 1]"},
	} {
		if err := f.Fill("front", tt.list); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
	if err := f.Room(1 << 20); err == nil {
		t.Error("room for a million numbers in a small file")
	}
	var g File
	if err := g.Add(Model, config{}, []Tensor{{"a", []int{1}, one}, {"a", []int{1}, one}}); err != nil {
		t.Fatal(err)
	}
	if err := g.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "two tensors") {
		t.Errorf("two tensors of one name: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	good := file(f)
	f.Add(good)
	f.Add(good[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var c config
		_ = file.Config("front", &c)
		_ = file.Fill("front", []Tensor{{"front.a", []int{1}, make([]float32, 1)}, {"front.b", []int{2}, make([]float32, 2)}})
	})
}

func Example() {
	var f File
	if err := f.Add(Model, map[string]int{"dim": 2}, []Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1, 2}}}); err != nil {
		fmt.Println(err)
		return
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		fmt.Println(err)
		return
	}
	again, err := Read(&buf)
	if err != nil {
		fmt.Println(err)
		return
	}
	w := make([]float32, 2)
	fmt.Println(again.Fill(Model, []Tensor{{Name: "w", Shape: []int{2}, Data: w}}), w)
	// Output: <nil> [1 2]
}
