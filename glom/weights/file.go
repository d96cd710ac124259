package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/nlpodyssey/safetensors"
)

// Limits on a weights file. The largest model that anyone trains in practice is far below.
const (
	maxFileBytes   = 1 << 30
	maxHeaderBytes = 1 << 20
)

// Model is the part of package glom.
const Model = "config"

// ErrNoPart is returned by Config for a part that the file does not have.
var ErrNoPart = errors.New("the header has no configuration of it")

// Tensor is one named array.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// File is the content of a weights file. The zero value is an empty one.
type File struct {
	configs map[string]string // JSON by part
	tensors []Tensor          // to be written
	read    safetensors.SafeTensors
	size    int // bytes it was read from
}

// Add adds a part with its configuration, which is saved as JSON, and its tensors, whose data are
// not copied.
func (f *File) Add(part string, cfg any, tensors []Tensor) error {
	text, err := json.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("save weights: configuration of %s: %w", part, err)
	}
	if f.configs == nil {
		f.configs = map[string]string{}
	}
	f.configs[part] = string(text)
	f.tensors = append(f.tensors, tensors...)
	return nil
}

// Write writes the parts that were added.
func (f *File) Write(w io.Writer) error {
	views := map[string]safetensors.TensorView{}
	for _, t := range f.tensors {
		raw := make([]byte, 0, 4*len(t.Data))
		for _, v := range t.Data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		view, err := safetensors.NewTensorView(safetensors.F32, t.shape(), raw)
		if err != nil {
			return fmt.Errorf("save weights: %w", err)
		}
		if _, twice := views[t.Name]; twice {
			return fmt.Errorf("save weights: two tensors are named %s", t.Name)
		}
		views[t.Name] = view
	}
	if err := safetensors.SerializeToWriter(views, f.configs, w); err != nil {
		return fmt.Errorf("save weights: %w", err)
	}
	return nil
}

func (t Tensor) shape() []uint64 {
	s := make([]uint64, len(t.Shape))
	for i, n := range t.Shape {
		s[i] = uint64(n)
	}
	return s
}

// Read reads a file that Write wrote. r must end.
func Read(r io.Reader) (*File, error) {
	f, err := read(r)
	if err != nil {
		return nil, fmt.Errorf("load weights: %w", err)
	}
	return f, nil
}

func read(r io.Reader) (*File, error) {
	raw, err := readChecked(r)
	if err != nil {
		return nil, err
	}
	_, meta, err := safetensors.ReadMetadata(raw)
	if err != nil {
		return nil, fmt.Errorf("not a sound safetensors file: %w", err)
	}
	f := &File{configs: meta.Metadata(), size: len(raw)}
	if f.configs[Model] == "" {
		return nil, errors.New("the header has no configuration: these are not weights of this program")
	}
	if f.read, err = safetensors.Deserialize(raw); err != nil {
		return nil, err
	}
	return f, nil
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

// Has tells whether the file has that part.
func (f *File) Has(part string) bool { return f.configs[part] != "" }

// Config decodes the configuration of a part into cfg, in which unknown fields are an error.
func (f *File) Config(part string, cfg any) error {
	text := f.configs[part]
	if text == "" {
		return fmt.Errorf("load weights of %s: %w", part, ErrNoPart)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(cfg); err != nil {
		return fmt.Errorf("load weights: configuration in the header: %w", err)
	}
	return nil
}

// Room is an error if the file is too small for n numbers: to be asked before memory is taken
// for what a configuration wants.
func (f *File) Room(n int) error {
	if 4*n > f.size {
		return fmt.Errorf("load weights: the configuration in the header needs %d bytes of weights, the file has %d in all", 4*n, f.size)
	}
	return nil
}

// Fill copies the tensors of a part out of the file into the Data of list, which must be all that
// the part has in the file, with these shapes.
func (f *File) Fill(part string, list []Tensor) error {
	for _, t := range list {
		if err := f.fill(t); err != nil {
			return fmt.Errorf("load weights: %w", err)
		}
	}
	var own []string
	for _, name := range f.read.Names() {
		if f.owner(name) == part {
			own = append(own, name)
		}
	}
	if len(own) != len(list) {
		slices.Sort(own)
		return fmt.Errorf("load weights: %d tensors, want %d: %s", len(own), len(list), strings.Join(own, " "))
	}
	return nil
}

// owner returns the part that a tensor belongs to.
func (f *File) owner(name string) string {
	if part, _, ok := strings.Cut(name, "."); ok && part != Model && f.Has(part) {
		return part
	}
	return Model
}

func (f *File) fill(t Tensor) error {
	v, ok := f.read.Tensor(t.Name)
	if !ok {
		return fmt.Errorf("tensor %s is missing", t.Name)
	}
	if v.DType() != safetensors.F32 {
		return fmt.Errorf("tensor %s is %v, want F32", t.Name, v.DType())
	}
	if !slices.Equal(v.Shape(), t.shape()) {
		return fmt.Errorf("tensor %s has shape %v, want %v", t.Name, v.Shape(), t.Shape)
	}
	raw := v.Data()
	for i := range t.Data {
		x := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		if x != x || math.IsInf(float64(x), 0) {
			return fmt.Errorf("tensor %s: element %d is %v", t.Name, i, x)
		}
		t.Data[i] = x
	}
	return nil
}
