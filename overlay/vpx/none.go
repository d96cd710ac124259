//go:build !cgo || novpx

package vpx

import (
	"errors"
	"image"

	"glomstream/capture"
)

// errNone is an error rather than a missing package, so that a program can offer what needs no
// encoder.
var errNone = errors.New("encode video: this program was built without libvpx (it needs cgo and libvpx-dev, and no build tag novpx)")

// Encoder makes a stream of frames of one size.
type Encoder struct{}

// New always fails in this build.
func New(Config) (*Encoder, error) { return nil, errNone }

// Encode always fails in this build.
func (*Encoder) Encode(_ *Packet, _ *capture.Frame, _ bool) error { return errNone }

// SetBitrate always fails in this build.
func (*Encoder) SetBitrate(int) error { return errNone }

// Close does nothing in this build.
func (*Encoder) Close() error { return nil }

// Decoder reads a stream back.
type Decoder struct{}

// NewDecoder always fails in this build.
func NewDecoder(Codec) (*Decoder, error) { return nil, errNone }

// Decode always fails in this build.
func (*Decoder) Decode(*image.YCbCr, []byte) error { return errNone }

// Close does nothing in this build.
func (*Decoder) Close() error { return nil }

// Version returns "none" in this build.
func Version() string { return "none" }
