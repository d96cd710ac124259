// Package trained holds the weights that come with the program, which uses them by default: a model of package glom and the
// front end that it learned with. docs/model-card.md in the repository tells what they learned from
// and what they can do.
package trained

import (
	"bytes"
	_ "embed" // for the weights
	"fmt"

	"glomstream/glom/weights"
)

//go:embed weights.safetensors
var file []byte

// Weights returns what the weights file holds, in memory of its own.
func Weights() (*weights.File, error) {
	f, err := weights.Read(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("the weights that come with glom: %w", err)
	}
	return f, nil
}

// Size is the size of the weights file in bytes.
func Size() int { return len(file) }
