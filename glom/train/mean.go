package train

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"glomstream/glom"
	"glomstream/glom/conv"
	"glomstream/glom/internal/vec"
	"glomstream/glom/weights"
)

// Mean writes to w the mean, weight by weight, of the models and front ends in several weights files
// or checkpoints, which must have the same shapes. Where the runs that made them began
// with the same weights, it is often better than each of them (Wortsman et al. 2022, model soups).
func Mean(w io.Writer, files ...io.Reader) error {
	if len(files) == 0 {
		return errors.New("the mean of no weights files")
	}
	var model *glom.Model
	var front *conv.Net
	share := 1 / float32(len(files))
	for i, r := range files {
		_, m, f, err := readNets(r)
		switch {
		case err != nil:
			return fmt.Errorf("weights file %d: %w", i+1, err)
		case i == 0:
			model, front = m, f
			vec.Scale(model.Params.All, share)
			vec.Scale(front.Params, share)
			continue
		case !reflect.DeepEqual(m.Config(), model.Config()) || !reflect.DeepEqual(f.Config(), front.Config()):
			return fmt.Errorf("weights file %d is of another model than the first", i+1)
		}
		vec.Axpy(model.Params.All, share, m.Params.All)
		vec.Axpy(front.Params, share, f.Params)
	}
	var out weights.File
	if err := errors.Join(model.AddTo(&out), front.AddTo(&out)); err != nil {
		return err
	}
	return out.Write(w)
}
