package train

import (
	"fmt"

	"glomstream/glom"
	"glomstream/glom/conv"
)

// Config says what is trained and how. A zero field means its default. It is saved with the
// checkpoints.
type Config struct {
	Model    glom.Config `json:"model"`
	FrontEnd conv.Config `json:"front_end"`
	Decoder  int         `json:"decoder"` // hidden units of the neural field, default 64

	Updates int `json:"updates"` // length of the schedule, default 2000
	Clips   int `json:"clips"`   // per update, default 16

	Settle int `json:"settle"` // steps on the first frame, default 4
	Extra  int `json:"extra"`  // up to so many steps more on the last frame, drawn at random, so that the fixed point is trained; default 1, negative for none
	First  int `json:"first"`  // losses begin after so many steps, default 3
	Window int `json:"window"` // frames through which gradients go back, default all of a clip

	Rate    float64 `json:"rate"`    // of AdamW at its highest, default 3e-3
	Warmup  int     `json:"warmup"`  // updates to get there, default a twentieth of Updates
	Decay   float64 `json:"decay"`   // of the matrices, per unit of the rate; default 0.01, negative for none
	MaxNorm float64 `json:"maxnorm"` // the gradient is cut to this length, default 1
	Average float64 `json:"average"` // of the averaged weights, each update keeps so much; default 0.99

	NoFlow float64 `json:"noflow"` // share of clips that are shown without flow, default 0.05, negative for none
	Hide   float64 `json:"hide"`   // share of frames with a hidden rectangle, default 0.5, negative for none

	Both bool `json:"both"` // agreement moves the consensus as well; by default it is a constant (paper, section 7: BYOL and SimSiam)

	Losses         Losses `json:"losses"`          // default DefaultLosses, or SelfSupervisedLosses
	SelfSupervised bool   `json:"self_supervised"` // use no labels, whatever the clips have

	Seed uint64 `json:"seed"`
}

// Losses holds the weight of each objective; 0 switches it off. All are means over the locations
// and over the frames from Config.First steps on.
type Losses struct {
	// Reconstruction of the colours from level 0 through a neural field, once over all locations
	// and once over the hidden ones (paper, section 7).
	Reconstruction float64 `json:"reconstruction"`
	// Agreement of bottom-up and top-down predictions with the consensus, which is a constant for
	// them (paper, section 7).
	Agreement float64 `json:"agreement"`
	// Object and Part contrast the labelled islands of a frame at their levels, parts by half their weight also at
	// those below, whose islands lie in parts.
	Object float64 `json:"object"`
	Part   float64 `json:"part"`
	// Affinity tells whether two locations are of one island by their cosine alone, at these levels. It
	// counts so many times what the contrast of the level does.
	Affinity float64 `json:"affinity"`
	// Scene contrasts the top level with the clips of the update before.
	Scene float64 `json:"scene"`

	// The next three contrast locations of a frame at the levels between the lowest and the top,
	// without labels, with a hinge, against what is unlike them in the frame and against other
	// clips (paper, section 7). Their positives are the locations that are like them already,
	// themselves a frame ago along their trajectory, and what they attend to.
	Islands    float64 `json:"islands"`
	Trajectory float64 `json:"trajectory"`
	Attention  float64 `json:"attention"`
	// Prediction of each level's consensus in the next frame, along the trajectory.
	Prediction float64 `json:"prediction"`
	// Features of an averaged copy of the front end, which sees all, are predicted from level 0,
	// once over all locations and once over the hidden ones.
	Features float64 `json:"features"`
	// Variance and Covariance keep each level from collapse (VICReg).
	Variance   float64 `json:"variance"`
	Covariance float64 `json:"covariance"`
}

// DefaultLosses returns the objectives that showed their worth where there are labels.
func DefaultLosses() Losses {
	return Losses{Reconstruction: 1, Agreement: 0.1, Object: 1, Part: 0.5, Affinity: 1, Scene: 0.2}
}

// SelfSupervisedLosses returns objectives that need no labels.
func SelfSupervisedLosses() Losses {
	return Losses{
		Reconstruction: 1, Agreement: 0.1, Scene: 0.2, Islands: 0.2, Trajectory: 0.5, Attention: 0.1,
		Prediction: 0.1, Features: 0.5, Variance: 0.1, Covariance: 0.01,
	}
}

func (c Config) withDefaults() Config {
	setDefault(&c.Decoder, 64)
	setDefault(&c.Updates, 2000)
	setDefault(&c.Clips, 16)
	setDefault(&c.Settle, 4)
	setDefault(&c.Extra, 1)
	setDefault(&c.First, 3)
	setDefault(&c.Rate, 3e-3)
	setDefault(&c.Warmup, max(1, c.Updates/20))
	setDefault(&c.Decay, 0.01)
	setDefault(&c.MaxNorm, 1)
	setDefault(&c.Average, 0.99)
	setDefault(&c.NoFlow, 0.05)
	setDefault(&c.Hide, 0.5)
	if c.SelfSupervised {
		setDefault(&c.Losses, SelfSupervisedLosses())
	}
	setDefault(&c.Losses, DefaultLosses())
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// check reports the first field that is out of range. c has its defaults filled in.
func (c Config) check() error {
	for _, f := range []struct {
		name     string
		v        float64
		min, max float64
	}{
		{"decoder", float64(c.Decoder), 1, 4096},
		{"updates", float64(c.Updates), 1, 1e9},
		{"clips", float64(c.Clips), 1, 4096},
		{"settle", float64(c.Settle), 1, 100},
		{"extra", float64(c.Extra), -100, 100},
		{"first", float64(c.First), 1, 100},
		{"window", float64(c.Window), 0, 1e6},
		{"rate", c.Rate, 0, 1},
		{"warmup", float64(c.Warmup), 0, 1e9},
		{"decay", c.Decay, -1e9, 100},
		{"maxnorm", c.MaxNorm, 0, 1e9},
		{"average", c.Average, 0, 0.999999},
		{"noflow", c.NoFlow, -1, 1},
		{"hide", c.Hide, -1, 1},
		{"reconstruction", c.Losses.Reconstruction, 0, 1e6},
		{"agreement", c.Losses.Agreement, 0, 1e6},
		{"object", c.Losses.Object, 0, 1e6},
		{"part", c.Losses.Part, 0, 1e6},
		{"affinity", c.Losses.Affinity, 0, 1e6},
		{"scene", c.Losses.Scene, 0, 1e6},
		{"islands", c.Losses.Islands, 0, 1e6},
		{"trajectory", c.Losses.Trajectory, 0, 1e6},
		{"attention", c.Losses.Attention, 0, 1e6},
		{"prediction", c.Losses.Prediction, 0, 1e6},
		{"features", c.Losses.Features, 0, 1e6},
		{"variance", c.Losses.Variance, 0, 1e6},
		{"covariance", c.Losses.Covariance, 0, 1e6},
	} {
		if !(f.v >= f.min && f.v <= f.max) {
			return fmt.Errorf("%s %v: want %v to %v", f.name, f.v, f.min, f.max)
		}
	}
	return nil
}
