package main

import (
	"fmt"
	"os"

	"glomstream/capture/opencv"
	"glomstream/glom"
	"glomstream/glom/conv"
	"glomstream/glom/weights"
)

// trainedNet returns the front end of the weights file as ONNX; nil if it has none, or if another
// front end is asked for.
func (f *modelFlags) trainedNet() ([]byte, error) {
	if f.weights == "none" || f.weights == "" || f.frontEnd != "" {
		return nil, nil
	}
	file, err := os.Open(f.weights)
	if err != nil {
		return nil, fmt.Errorf("open weights %q: %w", f.weights, bare(err))
	}
	defer file.Close()
	w, err := weights.Read(file)
	if err != nil {
		return nil, fmt.Errorf("read weights %q: %w", f.weights, bare(err))
	}
	if !w.Has(conv.Part) {
		return nil, nil
	}
	net, err := conv.FromFile(w)
	if err != nil {
		return nil, fmt.Errorf("read weights %q: %w", f.weights, bare(err))
	}
	return net.ONNX(176, 320), nil
}

// frontEndFor returns the front end that goes with the model.
func (f *modelFlags) frontEndFor(m *glom.Model) (*opencv.FrontEnd, error) {
	net, err := f.trainedNet()
	if err != nil {
		return nil, err
	}
	return opencv.NewFrontEnd(opencv.FrontEndConfig{Net: f.frontEnd, ONNX: net, Dim: m.Config().Dim})
}
