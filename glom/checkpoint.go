package glom

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/nlpodyssey/safetensors"
)

// Limits on a weights file. The largest model that Config allows in practice is far below.
const (
	maxFileBytes   = 1 << 30
	maxHeaderBytes = 1 << 20
)

// configKey names the entry of the header's metadata that holds the Config as JSON.
const configKey = "config"

// tensor is one named array of a model.
type tensor struct {
	name  string
	shape []uint64
	data  []float32
}

// tensors lists all arrays of m in a fixed order, for reading and for writing.
func (m *Model) tensors() []tensor {
	var list []tensor
	D, H := uint64(m.cfg.Dim), uint64(m.cfg.Hidden)
	net := func(name string, n Net) {
		list = append(list,
			tensor{name + ".w1", []uint64{H, uint64(len(n.W1)) / H}, n.W1},
			tensor{name + ".b1", []uint64{H}, n.B1},
			tensor{name + ".w2", []uint64{D, H}, n.W2},
			tensor{name + ".b2", []uint64{D}, n.B2})
	}
	for k := range m.Params.BU {
		net(fmt.Sprintf("bu.%d", k+1), m.Params.BU[k])
		net(fmt.Sprintf("td.%d", k), m.Params.TD[k])
	}
	return append(list, tensor{"mix", []uint64{uint64(m.cfg.Levels), 4}, m.Params.Mix})
}

// Save writes the model in the safetensors format: bu.L.w1, … predict level L from the level
// below, td.L.w1, … level L from the level above, mix holds the logits of the mixing weights.
// The header carries the Config.
func (m *Model) Save(w io.Writer) error {
	cfg, err := json.Marshal(m.cfg)
	if err != nil {
		return fmt.Errorf("save weights: %w", err)
	}
	views := map[string]safetensors.TensorView{}
	for _, t := range m.tensors() {
		raw := make([]byte, 0, 4*len(t.data))
		for _, v := range t.data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		if views[t.name], err = safetensors.NewTensorView(safetensors.F32, t.shape, raw); err != nil {
			return fmt.Errorf("save weights: %w", err)
		}
	}
	if err := safetensors.SerializeToWriter(views, map[string]string{configKey: string(cfg)}, w); err != nil {
		return fmt.Errorf("save weights: %w", err)
	}
	return nil
}

// Load reads a model that Save wrote. Everything is checked before it is believed: a file that
// is cut off, has tensors of other shapes or numbers that are not finite is an error, and takes
// no more memory than its own size. r must end.
func Load(r io.Reader) (*Model, error) {
	m, err := load(r)
	if err != nil {
		return nil, fmt.Errorf("load weights: %w", err)
	}
	return m, nil
}

func load(r io.Reader) (*Model, error) {
	raw, err := readChecked(r)
	if err != nil {
		return nil, err
	}
	_, meta, err := safetensors.ReadMetadata(raw)
	if err != nil {
		return nil, fmt.Errorf("not a sound safetensors file: %w", err)
	}
	text, ok := meta.Metadata()[configKey]
	if !ok {
		return nil, errors.New("the header has no configuration: these are not weights of this program")
	}
	var cfg Config
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return nil, fmt.Errorf("configuration in the header: %w", err)
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("configuration in the header: %w", err)
	}
	if n := 4 * cfg.params(); n > len(raw) {
		return nil, fmt.Errorf("the configuration in the header needs %d bytes of weights, the file has %d in all", n, len(raw))
	}
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	st, err := safetensors.Deserialize(raw)
	if err != nil {
		return nil, err
	}
	list := m.tensors()
	for _, t := range list {
		if err := t.fill(st); err != nil {
			return nil, err
		}
	}
	if st.Len() != len(list) {
		return nil, fmt.Errorf("%d tensors, want %d: %s", st.Len(), len(list), strings.Join(st.Names(), " "))
	}
	m.Changed()
	return m, nil
}

// readChecked reads all of r, after a look at the length of the header that it begins with.
func readChecked(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("shorter than 8 bytes: %w", err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeaderBytes {
		return nil, fmt.Errorf("header of %d bytes, at most %d are allowed: not a weights file", n, maxHeaderBytes)
	}
	buf := bytes.NewBuffer(head[:])
	if _, err := io.Copy(buf, io.LimitReader(r, maxFileBytes)); err != nil {
		return nil, err
	}
	if got := uint64(buf.Len() - 8); got < n {
		return nil, fmt.Errorf("cut off within the header: %d of %d bytes", got, n)
	}
	if buf.Len() > maxFileBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxFileBytes)
	}
	return buf.Bytes(), nil
}

// fill copies the tensor of that name out of st, if it is what the model expects.
func (t tensor) fill(st safetensors.SafeTensors) error {
	v, ok := st.Tensor(t.name)
	if !ok {
		return fmt.Errorf("tensor %s is missing", t.name)
	}
	if v.DType() != safetensors.F32 {
		return fmt.Errorf("tensor %s is %v, want F32", t.name, v.DType())
	}
	if fmt.Sprint(v.Shape()) != fmt.Sprint(t.shape) {
		return fmt.Errorf("tensor %s has shape %v, want %v", t.name, v.Shape(), t.shape)
	}
	raw := v.Data()
	for i := range t.data {
		f := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		if f != f || math.IsInf(float64(f), 0) {
			return fmt.Errorf("tensor %s: element %d is %v", t.name, i, f)
		}
		t.data[i] = f
	}
	return nil
}
