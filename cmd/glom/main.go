// Command glom finds the islands of GLOM in video, live: see "glom help".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"glomstream/glom/onednn"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1   // the run failed; one line on the standard error says why
	exitUsage  = 2   // the command line makes no sense
	exitSignal = 128 // plus the number of the signal: 130 after Ctrl-C
)

// version is stamped by the Makefile, which can do that to a variable only.
var version = "dev"

// terminal is what a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// command is one word of the command line.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, t terminal) error
}

func commands() []command {
	return []command{
		{"process", "turn a video into an annotated video, masks or JSON", process},
		{"serve", "show a video and its islands in browsers, live", serve},
		{"tree", "show the parse tree of one frame as a picture or as JSON", tree},
		{"eval", "measure the islands against a known truth, beside other methods", evaluate},
		{"train", "learn weights, and turn videos and pictures into what they learn from", train},
		{"bench", "measure speed and memory on this machine", bench},
		{"doctor", "tell what this machine can do", doctor},
		{"version", "print the version", printVersion},
	}
}

func main() {
	onednn.Use()
	signal.Ignore(syscall.SIGPIPE) // a reader of our output that goes away is a write error
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		s := (<-signals).(syscall.Signal)
		cancel(signalError{s}) // the first finishes the files
		<-signals
		os.Exit(exitSignal + int(s)) // the second is impatient
	}()
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}))
}

// signalError is the cause of a context that a signal has ended.
type signalError struct{ sig syscall.Signal }

func (e signalError) Error() string { return "stopped: " + e.sig.String() }

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, t terminal) int {
	err := dispatch(ctx, args, t)
	var use usageError
	var sig signalError
	switch {
	case err == nil || errors.Is(err, pflag.ErrHelp):
		return exitOK
	case errors.As(err, &use):
		fmt.Fprintf(t.err, "glom: %s\n", oneLine(err))
		return exitUsage
	case errors.As(context.Cause(ctx), &sig) && errors.Is(err, context.Cause(ctx)):
		fmt.Fprintf(t.err, "glom: %s\n", oneLine(err))
		return exitSignal + int(sig.sig)
	}
	fmt.Fprintf(t.err, "glom: %s\n", oneLine(err))
	return exitFailed
}

// oneLine joins the lines of an error that holds several.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func dispatch(ctx context.Context, args []string, t terminal) error {
	if len(args) == 0 {
		fmt.Fprint(t.err, help())
		return usagef("no command given")
	}
	name := args[0]
	switch name {
	case "help", "-h", "--help":
		if len(args) > 1 && name == "help" {
			return dispatch(ctx, []string{args[1], "--help"}, t)
		}
		fmt.Fprint(t.out, help())
		return nil
	case "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args[1:], t)
		}
	}
	return usagef("unknown command %q: see glom help", args[0])
}

func help() string {
	var b strings.Builder
	b.WriteString("glom finds parts and wholes in video: islands of agreement in a GLOM, one settling step per frame.\n\nUsage:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  glom %-8s %s\n", c.name, c.summary)
	}
	b.WriteString(`
Examples:
  glom process video.mp4 -o annotated.mkv
  glom process 0 -o webcam.mkv --level part      (Ctrl-C finishes the file)
  glom process synthetic:demo -o demo.mkv --level all
  glom serve video.mp4 --loop                    (then open http://127.0.0.1:8080/)
  glom tree video.mp4 --frame 30 -o tree.png
  glom help process

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, 143 by SIGTERM.
`)
	return b.String()
}

// parse parses the flags of a command, which prints usage when asked for help.
func parse(fs *pflag.FlagSet, args []string, t terminal, usage string) error {
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.Usage = func() { fmt.Fprintf(t.out, "%s\n\nFlags:\n%s", strings.TrimSpace(usage), fs.FlagUsagesWrapped(100)) }
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return err
		}
		return usagef("%w: see glom help %s", err, fs.Name())
	}
	return nil
}

func printVersion(_ context.Context, args []string, t terminal) error {
	if len(args) > 0 && args[0] != "--help" && args[0] != "-h" {
		return usagef("version takes no arguments")
	}
	_, err := fmt.Fprintf(t.out, "glom %s\n", version)
	return err
}
