package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"glomstream/glom/islands"
	"glomstream/overlay"
	"glomstream/pipeline"
)

// coco writes a data set in the format of COCO: a category per level, an image per frame, an
// annotation per island with its mask as compressed RLE, see docs/schema.md. Annotations go to the
// file as they come. The images, which belong into an array of their own, wait in a temporary
// file, so that the memory stays the same however long the video is.
type coco struct {
	name        string
	file        *os.File
	out         *bufio.Writer
	images      *os.File // has no name any more
	imagesOut   *bufio.Writer
	annotations int // so far
	frames      int
	runs        islands.Runs
	text        []byte
}

const cocoSchema = "glomstream.coco/1"

type cocoInfo struct {
	Description string `json:"description"`
	Version     string `json:"version"`
}

type cocoCategory struct {
	ID            int    `json:"id"` // level + 1
	Name          string `json:"name"`
	Supercategory string `json:"supercategory"`
}

type cocoImage struct {
	ID     uint64  `json:"id"` // the frame's number
	Width  int     `json:"width"`
	Height int     `json:"height"`
	File   string  `json:"file_name"` // as --masks names it
	Time   float64 `json:"time_s"`
}

type cocoAnnotation struct {
	ID           int      `json:"id"` // from 1
	ImageID      uint64   `json:"image_id"`
	CategoryID   int      `json:"category_id"`
	TrackID      int      `json:"track_id"`                  // island id + 65536*level
	ParentTrack  int      `json:"parent_track_id,omitempty"` // of the island one level up
	Segmentation cocoMask `json:"segmentation"`
	Area         int      `json:"area"`
	Box          [4]int   `json:"bbox"` // x, y, width, height
	Crowd        int      `json:"iscrowd"`
	Score        float64  `json:"score"` // the confidence
}

type cocoMask struct {
	Size   [2]int `json:"size"` // height, width
	Counts string `json:"counts"`
}

func newCoco(name string, levels int) (*coco, error) {
	images, err := os.CreateTemp("", "glom-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file for %q: %w", name, err)
	}
	if err := os.Remove(images.Name()); err != nil { // it lives as long as it is open
		return nil, errors.Join(fmt.Errorf("make a temporary file for %q: %w", name, err), images.Close())
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create %q: %w", name, bare(err)), images.Close())
	}
	c := &coco{name: name, file: file, out: bufio.NewWriterSize(file, 1<<16), images: images, imagesOut: bufio.NewWriter(images)}
	return c, c.begin(levels)
}

// begin writes what comes before the annotations.
func (c *coco) begin(levels int) error {
	var categories []cocoCategory
	for l := range levels {
		categories = append(categories, cocoCategory{l + 1, overlay.LevelName(l, levels), "island"})
	}
	_, err := c.out.WriteString(`{"info":`)
	err = errors.Join(err, encode(c.out, cocoInfo{"islands of agreement found by glom, a category per level", cocoSchema}))
	_, werr := c.out.WriteString(`,"categories":`)
	err = errors.Join(err, werr, encode(c.out, categories))
	_, werr = c.out.WriteString(`,"annotations":[` + "\n")
	return c.fault(errors.Join(err, werr))
}

// encode writes v and a line feed. Masks hold characters that are escaped in HTML only.
func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (c *coco) Write(r *pipeline.Result) error {
	if c.frames > 0 {
		if err := c.imagesOut.WriteByte(','); err != nil {
			return c.fault(err)
		}
	}
	c.frames++
	err := encode(c.imagesOut, cocoImage{
		r.Frame.Seq, r.Frame.W, r.Frame.H, fmt.Sprintf("%05d.png", r.Frame.Seq), round(r.Frame.PTS.Seconds(), 1e6),
	})
	for l := range r.Islands {
		if err == nil {
			err = c.level(r, l)
		}
	}
	return c.fault(err)
}

func (c *coco) level(r *pipeline.Result, l int) error {
	w, h := r.Frame.W, r.Frame.H
	c.runs.Read(r.Labels[l], w, h)
	for i := range r.Islands[l].Islands {
		s := &r.Islands[l].Islands[i]
		area, box := c.runs.Measure(s.ID)
		if area == 0 {
			continue // too small for a pixel
		}
		if c.annotations > 0 {
			if err := c.out.WriteByte(','); err != nil {
				return err
			}
		}
		c.annotations++
		c.text = c.runs.Append(c.text[:0], s.ID)
		a := cocoAnnotation{
			ID: c.annotations, ImageID: r.Frame.Seq, CategoryID: l + 1, TrackID: trackID(l, s.ID),
			Segmentation: cocoMask{[2]int{h, w}, string(c.text)},
			Area:         area, Box: [4]int{box.Min.X, box.Min.Y, box.Dx(), box.Dy()},
			Score: round(s.Confidence, 1e4),
		}
		if s.Parent > 0 {
			a.ParentTrack = trackID(l+1, s.Parent)
		}
		if err := encode(c.out, a); err != nil {
			return err
		}
	}
	return nil
}

// trackID makes one name of a level and an id, which is unique in its level only.
func trackID(level int, id uint16) int { return level<<16 + int(id) }

func (c *coco) fault(err error) error {
	if err != nil {
		return fmt.Errorf("write %q: %w", c.name, bare(err))
	}
	return nil
}

// Close ends the file with the images, so that it is whole whatever came before.
func (c *coco) Close() error {
	_, err := c.out.WriteString(`],"images":[` + "\n")
	err = errors.Join(err, c.imagesOut.Flush())
	if err == nil {
		_, err = c.images.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(c.out, c.images)
	}
	if err == nil {
		_, err = c.out.WriteString("]}\n")
	}
	if err == nil {
		err = c.out.Flush()
	}
	c.images.Close()
	if cerr := c.file.Close(); err == nil {
		err = cerr
	}
	return c.fault(err)
}
