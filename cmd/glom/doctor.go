package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"glomstream/capture/libav"
	"glomstream/capture/opencv"
	"glomstream/glom"
	"glomstream/glom/onednn"
)

const doctorUsage = `Usage: glom doctor

Tells what this machine has: cameras, decoders, encoders, the kernels of oneDNN, optical flow.
It fails if something that glom needs is missing.`

// doctorReport is what glom doctor prints.
type doctorReport struct {
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	CPUs     int      `json:"cpus"`
	Kernels  string   `json:"kernels"`
	OneDNN   string   `json:"onednn"`
	OpenCV   string   `json:"opencv"`
	GoCV     string   `json:"gocv"`
	FFmpeg   string   `json:"ffmpeg"`
	Licence  string   `json:"ffmpeg_licence"`
	Inputs   []string `json:"inputs"`
	Cameras  []string `json:"cameras"`
	Decoders []string `json:"decoders"`
	Encoders []string `json:"encoders"`
	Flow     string   `json:"flow"`
	Missing  []string `json:"missing"`
}

func doctor(ctx context.Context, args []string, t terminal) error {
	fs := pflag.NewFlagSet("doctor", pflag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	if err := parse(fs, args, t, doctorUsage); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usagef("doctor takes no arguments")
	}
	r := examine(ctx)
	err := printReport(t.out, *asJSON, r)
	if err == nil && len(r.Missing) > 0 {
		err = fmt.Errorf("missing: %s", strings.Join(r.Missing, ", "))
	}
	return err
}

// examine looks at everything once.
func examine(ctx context.Context) doctorReport {
	cv, av := opencv.Inspect(ctx), libav.Version()
	r := doctorReport{
		Version: version, Go: runtime.Version(), CPUs: runtime.GOMAXPROCS(0),
		Kernels: glom.Kernels(), OneDNN: onednn.Version(),
		OpenCV: cv.OpenCV, GoCV: cv.GoCV, Inputs: cv.VideoIO,
		FFmpeg: av.String(), Licence: av.Licence, Encoders: libav.Encoders(),
	}
	need := func(ok bool, what string) {
		if !ok {
			r.Missing = append(r.Missing, what)
		}
	}
	need(cv.FFmpeg, "OpenCV's FFmpeg backend (video files and streams)")
	need(cv.V4L2, "OpenCV's V4L2 backend (webcams)")
	for _, c := range cv.Cameras {
		state := fmt.Sprintf("%s %s, %dx%d at %g frames/s", c.Path, c.Name, c.Info.W, c.Info.H, c.Info.FPS)
		if c.Err != nil {
			state = fmt.Sprintf("%s %s: %s", c.Path, c.Name, oneLine(c.Err))
		}
		r.Cameras = append(r.Cameras, state)
	}
	for _, d := range cv.Decoders {
		if d.Err == nil {
			r.Decoders = append(r.Decoders, d.Codec)
		}
		need(d.Err == nil, "decoder "+d.Codec)
	}
	for _, name := range []string{"h264", "vp8"} {
		need(slices.Contains(r.Encoders, name), "encoder "+name)
	}
	r.Flow = fmt.Sprintf("DIS, %.1f ms for 320x176", ms(cv.Flow))
	if cv.FlowErr != nil {
		r.Flow = oneLine(cv.FlowErr)
	}
	need(cv.FlowErr == nil, "optical flow")
	return r
}

func (r doctorReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(name string, values ...string) {
		if len(values) == 0 {
			values = []string{"none"}
		}
		for i, v := range values {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(w, "%s\t%s\n", name, v)
		}
	}
	row("glom", fmt.Sprintf("%s, %s, %d cores", r.Version, r.Go, r.CPUs))
	row("kernels", r.Kernels)
	row("oneDNN", r.OneDNN)
	row("OpenCV", fmt.Sprintf("%s, GoCV %s", r.OpenCV, r.GoCV))
	row("FFmpeg", fmt.Sprintf("%s, %s", r.FFmpeg, r.Licence))
	row("cameras", r.Cameras...)
	row("decoders", strings.Join(r.Decoders, " "))
	row("encoders", strings.Join(r.Encoders, " "))
	row("flow", r.Flow)
	row("inputs", r.Inputs...)
	if len(r.Missing) == 0 {
		row("", "all that glom needs is here")
	}
	return w.Flush()
}
