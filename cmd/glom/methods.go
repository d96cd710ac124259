package main

import "glomstream/pipeline/eval"

// methods adds what is measured beside the islands.
func (f *evalFlags) methods(c *eval.Config) {
	if !f.baselines {
		return
	}
	c.Segmenters = append(c.Segmenters, eval.Evidence())
}
