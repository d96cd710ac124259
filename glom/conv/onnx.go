package conv

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ONNX returns the net as an ONNX model for pictures of h by w pixels (runtimes that take other
// sizes ignore the number): input "in" (1, C, h, w), output "out" (1, D, h/8, w/8) before the
// projection. The standardisation is folded into the weights; the borders are Pad nodes in
// reflect mode, which come before each Conv.
//
// The field numbers below are those of onnx.proto, IR version 7.
func (n *Net) ONNX(h, w int) []byte {
	var graph message
	from := "in"
	for k, l := range n.layers {
		pad, conv, to := fmt.Sprintf("pad%d", k), fmt.Sprintf("conv%d", k), fmt.Sprintf("relu%d", k)
		graph.node("Pad", pad, []string{from}, attrString("mode", "reflect"), attrInts("pads", 0, 0, 1, 1, 0, 0, 1, 1))
		out := conv
		if k == len(n.layers)-1 {
			out = "out"
		}
		s := int64(l.stride)
		graph.node("Conv", out, []string{pad, conv + ".w", conv + ".b"},
			attrInts("kernel_shape", 3, 3), attrInts("strides", s, s), attrInts("pads", 0, 0, 0, 0))
		if out == conv {
			graph.node("Relu", to, []string{conv})
		}
		from = to
	}
	graph.text(2, "glomstream front end")
	for k, l := range n.layers {
		graph.tensor(fmt.Sprintf("conv%d.w", k), l.eff, int64(l.out), int64(l.in), 3, 3)
		graph.tensor(fmt.Sprintf("conv%d.b", k), l.bias, int64(l.out))
	}
	graph.value(11, "in", 1, int64(n.cfg.Channels), int64(h), int64(w))
	graph.value(12, "out", 1, int64(n.cfg.Dim), int64(h/Stride), int64(w/Stride))

	var opset, model message
	opset.text(1, "")
	opset.number(2, 10) // of the default domain; the last in which Pad has its pads as an attribute
	model.number(1, 7)
	model.text(2, "glomstream")
	model.message(7, graph)
	model.message(8, opset)
	return model
}

// message is an encoded protobuf message.
type message []byte

func (m *message) number(field int, v int64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3)
	*m = binary.AppendUvarint(*m, uint64(v))
}

func (m *message) bytes(field int, v []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|2)
	*m = binary.AppendUvarint(*m, uint64(len(v)))
	*m = append(*m, v...)
}

func (m *message) text(field int, v string)     { m.bytes(field, []byte(v)) }
func (m *message) message(field int, v message) { m.bytes(field, v) }

// node adds a NodeProto to a GraphProto.
func (m *message) node(op, output string, inputs []string, attributes ...message) {
	var n message
	for _, in := range inputs {
		n.text(1, in)
	}
	n.text(2, output)
	n.text(3, output)
	n.text(4, op)
	for _, a := range attributes {
		n.message(5, a)
	}
	m.message(1, n)
}

// attrInts and attrString make an AttributeProto; 7 and 3 are its types INTS and STRING.
func attrInts(name string, values ...int64) (a message) {
	a.text(1, name)
	for _, v := range values {
		a.number(8, v)
	}
	a.number(20, 7)
	return a
}

func attrString(name, value string) (a message) {
	a.text(1, name)
	a.text(4, value)
	a.number(20, 3)
	return a
}

// tensor adds an initialiser, a TensorProto of type FLOAT, to a GraphProto.
func (m *message) tensor(name string, data []float32, dims ...int64) {
	var t message
	for _, d := range dims {
		t.number(1, d)
	}
	t.number(2, 1)
	t.text(8, name)
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	t.bytes(9, raw)
	m.message(5, t)
}

// value adds a ValueInfoProto of type FLOAT to a GraphProto.
func (m *message) value(field int, name string, dims ...int64) {
	var shape, tensor, kind, v message
	for _, d := range dims {
		var dim message
		dim.number(1, d)
		shape.message(1, dim)
	}
	tensor.number(1, 1)
	tensor.message(2, shape)
	kind.message(1, tensor)
	v.text(1, name)
	v.message(2, kind)
	m.message(field, v)
}
