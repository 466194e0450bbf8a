// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

// stdinArgument is the argument for ids on standard input.
const stdinArgument = "-"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs the program and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "callid: %v\n", err)
		return exitUsage
	}
	if err := printAll(opts, stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "callid: %v\n", err)
		return exitFailed
	}
	return 0
}

// printAll prints each id as soon as it is read, so that callid works in a pipe that does
// not end.
func printAll(opts options, stdin io.Reader, stdout io.Writer) error {
	p := newPrinter(opts, stdout)
	for _, id := range opts.ids {
		if id != stdinArgument {
			if err := p.print(id); err != nil {
				return err
			}
			continue
		}
		if err := printLines(p, stdin); err != nil {
			return err
		}
	}
	return nil
}

// printLines prints the ids of a stream, one per line. It skips blank lines.
func printLines(p *printer, stdin io.Reader) error {
	const longestLine = 1 << 20
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		id := strings.TrimSpace(lines.Text())
		if id == "" {
			continue
		}
		if err := p.print(id); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return nil
}
