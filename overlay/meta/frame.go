package meta

import (
	"image"
	"time"
)

// Version is the first byte of every message.
const Version = 1

// Limits of what is written and read.
const (
	MaxMessage = 16 << 10 // bytes of a message on the channel meta
	MaxCommand = 4 << 10  // bytes of a command
	MaxLevels  = 32
	MaxCells   = 1 << 18 // labels of a message
)

// Frame is one message: what is known about one frame of the video, with the labels of one level.
type Frame struct {
	Timestamp uint32    // RTP time stamp, the key
	Seq       uint64    // number of the frame from 0
	Captured  time.Time // to the microsecond

	W, H   int // of the frame in pixels, 1 to 65535
	Levels int // how many the model has, 1 to MaxLevels
	Level  int // whose labels these are
	Labels Labels

	// Nodes tells of the levels whose islands are in the message: of Level in every one, of all levels
	// if Full is true. The order does not matter to Append; Level comes first from Parse.
	Nodes []Nodes

	Full    bool // the islands of all levels are there: the whole parse tree
	Cut     bool // the scene changed since the frame before: all ids are new
	Stale   bool // the source gives no new frames: this is the last one once more
	Reduced bool // Append left detail out to keep to MaxMessage

	Unsettled float64 // how much faster the embeddings change than they can settle, 0 to 1
	FPS       float64 // frames settled per second, up to 655
	Dropped   int     // frames of a live source that were dropped so far
	Steps     int     // settling steps taken on the frame, up to 255
}

// Nodes are the islands of one level.
type Nodes struct {
	Level     int
	Nesting   float64 // mean over all locations; 0 at the top
	Agreement float64 // mean agreement of all locations
	Islands   []Island
}

// Island is a node of the parse tree. Lengths and areas are in pixels of the frame. The fields are
// those of docs/schema.md.
type Island struct {
	ID, Parent uint16 // Parent is 0 at the top
	Area       int
	Box        image.Rectangle
	X, Y       int     // centroid
	Confidence float64 // 0 to 1
	Agreement  float64 // 0 to 1
	Nesting    float64 // do its vectors end with its parent? 0 to 1; 0 at the top
	Age        int     // frames since it came into view; 65535 stands for more, too
}

// Flags of the header.
const (
	flagFull = 1 << iota
	flagCut
	flagStale
	flagReduced
)

// Kinds of sections.
const (
	kindFrame = 1 + iota
	kindLabels
	kindIslands
)

const (
	headerSize  = 24
	frameSize   = 15 // of the section's content
	nodesSize   = 5  // before the islands
	islandSize  = 28
	sectionSize = 3 // before the content
	labelsSize  = 4 // before the codes

	unit = 10000 // of shares and scores
)
