package main

import (
	"testing"

	"glomstream/glom/onednn"
)

func BenchmarkStep(b *testing.B) {
	onednn.Use()
	m, s, evidence, err := benchModel()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m.Step(s, evidence)
	}
	b.ReportMetric(stepFLOP(m.Config(), benchSide*benchSide)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
