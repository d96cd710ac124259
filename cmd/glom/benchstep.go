package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"glomstream/glom"
)

// stepBench compares the settling step with the machine's own matrix product.
type stepBench struct {
	Locations   int     `json:"locations"`
	Dim         int     `json:"dim"`
	Hidden      int     `json:"hidden"`
	Levels      int     `json:"levels"`
	Millis      float64 `json:"ms"` // median over the rounds
	GFLOPS      float64 `json:"gflops"`
	SgemmGFLOPS float64 `json:"sgemm_gflops"`
	Fraction    float64 `json:"fraction_of_sgemm"` // median of the rounds' own fractions
}

// torchBench compares it with the same step in PyTorch.
type torchBench struct {
	Version    string  `json:"version"`
	Threads    int     `json:"threads"`
	BLAS       string  `json:"blas"`
	Millis     float64 `json:"ms"`
	Ratio      float64 `json:"ratio"`          // PyTorch's time by ours, median of the rounds' own ratios
	Difference float64 `json:"max_difference"` // between the two results of the same step
}

// The step that is measured.
const (
	benchSide    = 30 // locations per side
	benchDim     = 64
	benchHidden  = 256
	stepsPerTurn = 8
	sgemmSide    = 1024
	spin         = 100 * time.Millisecond // for which PyTorch's threads keep the cores busy after their work
)

// benchModel returns a model whose nets are not the identity, and a state and evidence for it.
func benchModel() (*glom.Model, *glom.State, []float32, error) {
	m, err := glom.New(glom.Config{Dim: benchDim, Hidden: benchHidden, Attention: glom.Dense})
	if err != nil {
		return nil, nil, nil, err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, nets := range [][]glom.Net{m.Params.BU, m.Params.TD} {
		for _, n := range nets {
			for i := range n.W2 {
				n.W2[i] = float32(rng.NormFloat64() / 16)
			}
		}
	}
	m.Changed()
	s, err := m.NewState(benchSide, benchSide)
	if err != nil {
		return nil, nil, nil, err
	}
	evidence := make([]float32, benchSide*benchSide*benchDim)
	for i := range benchSide * benchSide {
		v := evidence[i*benchDim:][:benchDim]
		var sum float64
		for k := range v {
			v[k] = float32(rng.NormFloat64())
			sum += float64(v[k]) * float64(v[k])
		}
		for k := range v {
			v[k] /= float32(math.Sqrt(sum))
		}
	}
	return m, s, evidence, nil
}

// stepFLOP counts the additions and multiplications of the matrix products alone, what a step
// cannot do without: the nets and, twice per level, all locations against all.
func stepFLOP(c glom.Config, N int) float64 {
	nets := 2 * (c.Levels - 1) * 2 * 2 * N * c.Dim * c.Hidden
	attention := c.Levels * 2 * 2 * N * N * c.Dim
	return float64(nets + attention)
}

// benchStep lets the step, the matrix product and PyTorch take turns, so that what else the
// machine does falls on all of them.
func benchStep(ctx context.Context, torch *torchServer, rounds int) (*stepBench, *torchBench, error) {
	m, s, evidence, err := benchModel()
	if err != nil {
		return nil, nil, err
	}
	c, N := m.Config(), benchSide*benchSide
	flop := stepFLOP(c, N)
	products := newProducts()
	for range stepsPerTurn { // warm up
		m.Step(s, evidence)
	}
	products.run()
	var steps, rates, fractions, theirs, ratios []float64
	for range rounds {
		if err := context.Cause(ctx); err != nil {
			return nil, nil, err
		}
		if torch != nil {
			time.Sleep(spin)
		}
		start := time.Now()
		for range stepsPerTurn {
			m.Step(s, evidence)
		}
		step := time.Since(start).Seconds() / stepsPerTurn
		rate := products.run()
		steps, rates = append(steps, step), append(rates, rate)
		fractions = append(fractions, flop/step/rate)
		if torch != nil {
			t, err := torch.step(stepsPerTurn)
			if err != nil {
				return nil, nil, err
			}
			theirs, ratios = append(theirs, t), append(ratios, t/step)
		}
	}
	b := &stepBench{
		Locations: N, Dim: c.Dim, Hidden: c.Hidden, Levels: c.Levels,
		Millis: 1000 * median(steps), GFLOPS: flop / median(steps) / 1e9,
		SgemmGFLOPS: median(rates) / 1e9, Fraction: median(fractions),
	}
	if torch == nil {
		return b, nil, nil
	}
	diff, err := torch.compare(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	t := &torchBench{
		Version: torch.hello.Torch, Threads: torch.hello.Threads, BLAS: torch.hello.BLAS,
		Millis: 1000 * median(theirs), Ratio: median(ratios), Difference: diff,
	}
	return b, t, nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// products multiplies square matrices, one pair on each core at a time.
type products struct{ a, b, c []blas32.General }

func newProducts() *products {
	p := &products{}
	square := func() blas32.General {
		g := blas32.General{Rows: sgemmSide, Cols: sgemmSide, Stride: sgemmSide, Data: make([]float32, sgemmSide*sgemmSide)}
		for i := range g.Data {
			g.Data[i] = float32(i%7) - 3
		}
		return g
	}
	for range runtime.GOMAXPROCS(0) {
		p.a, p.b, p.c = append(p.a, square()), append(p.b, square()), append(p.c, square())
	}
	return p
}

// run returns the rate in FLOP/s.
func (p *products) run() float64 {
	start := time.Now()
	const times = 3
	var wg sync.WaitGroup
	for i := range p.a {
		wg.Go(func() {
			for range times {
				blas32.Gemm(blas.NoTrans, blas.Trans, 1, p.a[i], p.b[i], 0, p.c[i])
			}
		})
	}
	wg.Wait()
	return times * float64(len(p.a)) * 2 * sgemmSide * sgemmSide * sgemmSide / time.Since(start).Seconds()
}

// torchServer is a child process that takes settling steps in PyTorch when asked.
type torchServer struct {
	script string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	hello  struct {
		Torch   string
		Threads int
		BLAS    string
	}
}

// python is Debian's own interpreter, the one that has Debian's PyTorch.
const python = "/usr/bin/python3"

// startTorch starts the script, or says why not.
func startTorch(ctx context.Context, script string) (t *torchServer, why string) {
	if script == "none" || script == "" {
		return nil, "not asked for"
	}
	if _, err := os.Stat(script); err != nil {
		return nil, fmt.Sprintf("%v (run glom bench where the sources are, or name the script with --torch)", err)
	}
	t = &torchServer{script: script, cmd: exec.CommandContext(ctx, python, script)}
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err.Error()
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err.Error()
	}
	t.out = bufio.NewScanner(out)
	if err := t.cmd.Start(); err != nil {
		return nil, err.Error()
	}
	if err := t.answer(&t.hello); err != nil {
		t.stop()
		return nil, "python3-torch is not installed (" + err.Error() + ")"
	}
	return t, ""
}

func (t *torchServer) answer(v any) error {
	if !t.out.Scan() {
		return fmt.Errorf("%s ended without an answer", t.script)
	}
	return json.Unmarshal(t.out.Bytes(), v)
}

// step returns the seconds of one of n steps.
func (t *torchServer) step(n int) (float64, error) {
	if _, err := fmt.Fprintf(t.in, "step %d\n", n); err != nil {
		return 0, err
	}
	var a struct {
		Seconds float64
		Error   string
	}
	if err := t.answer(&a); err != nil {
		return 0, err
	}
	if a.Seconds <= 0 {
		return 0, fmt.Errorf("%s: %s", t.script, a.Error)
	}
	return a.Seconds / float64(n), nil
}

func (t *torchServer) stop() {
	t.in.Close()
	_ = t.cmd.Wait() // it ends when its input does
}

// compare lets both take the same step and returns the largest difference of an element.
func (t *torchServer) compare(ctx context.Context, m *glom.Model) (float64, error) {
	dir, err := os.MkdirTemp("", "glom-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	weights, state, result := filepath.Join(dir, "w.safetensors"), filepath.Join(dir, "state"), filepath.Join(dir, "result")
	file, err := os.Create(weights)
	if err != nil {
		return 0, err
	}
	if err := m.Save(file); err != nil {
		file.Close()
		return 0, err
	}
	if err := file.Close(); err != nil {
		return 0, err
	}
	_, s, evidence, err := benchModel()
	if err != nil {
		return 0, err
	}
	m.Step(s, evidence) // a state that is not just the evidence
	var raw []byte
	for l := range s.Levels {
		raw = appendFloats(raw, s.Level(l))
	}
	if err := os.WriteFile(state, appendFloats(raw, evidence), 0o600); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, python, t.script, "--weights", weights, "--state", state, "--out", result)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", t.script, err, out)
	}
	got, err := os.ReadFile(result)
	if err != nil {
		return 0, err
	}
	m.Step(s, evidence)
	var want []byte
	for l := range s.Levels {
		want = appendFloats(want, s.Level(l))
	}
	if len(got) != len(want) {
		return 0, fmt.Errorf("%s wrote %d bytes, want %d", t.script, len(got), len(want))
	}
	var worst float64
	for i := 0; i < len(got); i += 4 {
		a := math.Float32frombits(binary.LittleEndian.Uint32(got[i:]))
		b := math.Float32frombits(binary.LittleEndian.Uint32(want[i:]))
		worst = max(worst, math.Abs(float64(a)-float64(b)))
	}
	return worst, nil
}

func appendFloats(b []byte, v []float32) []byte {
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}
