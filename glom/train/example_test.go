package train_test

import (
	"context"
	"fmt"

	"glomstream/glom"
	"glomstream/glom/clips"
	"glomstream/glom/conv"
	"glomstream/glom/train"
)

// halves is a source of still clips of two halves.
type halves struct{}

func (halves) Clip(c *clips.Clip, n uint64) error {
	c.Reshape(3, 32, 32, true)
	for p := range 3 * 32 * 32 {
		right := p % 32 / 16
		c.Labels[clips.Object][p], c.Labels[clips.Part][p], c.Labels[clips.Scene][p] = uint16(1+right), 0, 1
		for k := range 3 {
			c.Pix[3*p+k] = byte(40 + 30*int(n%5) + 60*right)
		}
	}
	clear(c.Flow)
	return nil
}

func Example() {
	t, err := train.New(train.Config{
		Model:    glom.Config{Dim: 16, Hidden: 16, Samples: 5},
		FrontEnd: conv.Config{Dim: 16, Widths: []int{4, 8, 8}},
		Updates:  20, Clips: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var first, last train.Report
	for t.Step() < t.Config().Updates {
		r, err := t.Update(context.Background(), halves{})
		if err != nil {
			fmt.Println(err)
			return
		}
		if r.Step == 1 {
			first = r
		}
		last = r
	}
	fmt.Println(last.Losses["object"] < first.Losses["object"])
	// Output: true
}
