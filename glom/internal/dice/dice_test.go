package dice_test

import (
	"math"
	"testing"

	"glomstream/glom/internal/dice"
)

func TestThrowsAreIndependent(t *testing.T) {
	// The first draws of neighbouring throws and seeds, which a plain counter would correlate.
	const n = 20000
	var sum, squares, products float64
	last := 0.0
	seen := map[uint64]bool{}
	for i := range uint64(n) {
		d := dice.New(7, i)
		seen[d.Uint64()] = true
		d = dice.New(7, i)
		f := d.Float() - 0.5
		sum, squares, products = sum+f, squares+f*f, products+f*last
		last = f
		e := dice.New(8, i)
		seen[e.Uint64()] = true
	}
	if len(seen) != 2*n {
		t.Errorf("%d of %d first draws differ", len(seen), 2*n)
	}
	// Standard errors are 0.002 for the mean, 0.0005 for the variance and 0.0006 for the product.
	if math.Abs(sum/n) > 0.01 || math.Abs(squares/n-1.0/12) > 0.003 || math.Abs(products/n) > 0.003 {
		t.Errorf("mean %v, variance %v, product of neighbours %v", sum/n, squares/n, products/n)
	}
}

func TestDraws(t *testing.T) {
	const n = 100000
	d := dice.New(1, 0)
	var sum, squares float64
	var count [6]int
	chances := 0
	for range n {
		v := d.Normal()
		sum, squares = sum+v, squares+v*v
		count[d.Intn(6)]++
		if d.Chance(0.25) {
			chances++
		}
		if r := d.Range(-2, 3); r < -2 || r >= 3 {
			t.Fatalf("Range(-2, 3) gave %v", r)
		}
	}
	if math.Abs(sum/n) > 0.02 || math.Abs(squares/n-1) > 0.03 {
		t.Errorf("Normal has mean %v and variance %v", sum/n, squares/n)
	}
	for face, c := range count {
		if c < n/6-800 || c > n/6+800 {
			t.Errorf("%d came %d times in %d", face, c, n)
		}
	}
	if chances < n/4-900 || chances > n/4+900 {
		t.Errorf("a chance of 1/4 came true %d times in %d", chances, n)
	}
}
