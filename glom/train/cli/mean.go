package cli

import (
	"io"
	"os"

	"github.com/spf13/pflag"

	"glomstream/glom/train"
)

const meanUsage = ` mean WEIGHTS… -o weights.safetensors

Writes the mean of several weights files of the same shape. Of runs that began with the same
weights it is often better than each of them.`

// mean executes "mean".
func mean(name string, args []string, out io.Writer) (err error) {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	target := fs.StringP("output", "o", "", "the weights file to write")
	if err := parse(fs, name+meanUsage, args, out); err != nil {
		return err
	}
	if *target == "" || fs.NArg() < 2 {
		return usagef("name two weights files or more, and the one to write with -o")
	}
	files := make([]io.Reader, fs.NArg())
	for i, name := range fs.Args() {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		files[i] = f
	}
	return train.ReplaceFile(*target, func(w io.Writer) error { return train.Mean(w, files...) })
}
