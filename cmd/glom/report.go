package main

import (
	"encoding/json"
	"io"
)

// report is what a command that measures or examines ends with.
type report interface {
	print(out io.Writer) error // as a table
}

// printReport prints a report, as JSON if that is asked for.
func printReport(out io.Writer, asJSON bool, r report) error {
	if !asJSON {
		return r.print(out)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
