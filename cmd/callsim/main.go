// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is an error of the flags that only the scenario reveals.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program; it returns the exit code. A ctx that ends stops the
// simulation without making it a failure.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "drill" {
		return runDrill(ctx, args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "compare" {
		return runCompare(ctx, args[1:], stdout, stderr)
	}
	opts, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "callsim: %v\n", err)
		return exitUsage
	}
	if err := simulate(ctx, opts, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "callsim: %v\n", err)
		if _, ok := errors.AsType[usageError](err); ok {
			return exitUsage
		}
		return exitFailed
	}
	return 0
}

// simulate runs the scenario to its end, or to the end of ctx, and then writes
// the truth about as much of it as has happened.
func simulate(ctx context.Context, opts options, stdout, stderr io.Writer) error {
	c, err := newCluster(opts)
	if err != nil {
		return err
	}
	file, err := openTruth(opts.truth)
	if err != nil {
		return err
	}
	if err := c.openAccounting(); err != nil {
		return err
	}
	if err := c.openSyslog(); err != nil {
		return errors.Join(err, c.closeAccounting())
	}
	if opts.print {
		err = c.print(ctx, stdout)
	} else {
		stderr = &lockedWriter{w: stderr}
		if err = c.serve(stderr); err == nil { //nolint:contextcheck // servers live until they are closed
			err = c.deliver(ctx, stderr)
		}
	}
	return errors.Join(err, file.write(c), c.closeAccounting(), c.closeSyslog())
}
