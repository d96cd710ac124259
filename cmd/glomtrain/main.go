// Command glomtrain learns the weights of glom. Unlike glom it needs no OpenCV, so that it runs
// on a bare machine with many processors.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"glomstream/glom/onednn"
	"glomstream/glom/train/cli"
)

func main() {
	onednn.Use()
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		s := (<-signals).(syscall.Signal)
		cancel(signalError{s}) // the first writes a checkpoint
		<-signals
		os.Exit(128 + int(s)) // the second is impatient
	}()
	os.Exit(run(ctx, os.Args[1:]))
}

// signalError is the cause of a context that a signal has ended.
type signalError struct{ sig syscall.Signal }

func (e signalError) Error() string { return "stopped: " + e.sig.String() }

// run executes the command line and returns the exit code, which are those of glom.
func run(ctx context.Context, args []string) int {
	err := cli.Run(ctx, "glomtrain", args, os.Stdout, os.Stderr, cli.Media{})
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "glomtrain:", strings.ReplaceAll(err.Error(), "\n", "; "))
	var use cli.UsageError
	var sig signalError
	switch {
	case errors.As(err, &use):
		return 2
	case errors.As(err, &sig):
		return 128 + int(sig.sig)
	}
	return 1
}
