// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// Exit codes besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is an error in the command line.
type usageError struct{ error }

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := runCommand(ctx, args, stdout, stderr)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "callarchive: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "callarchive: %v\n", err)
		return exitFailed
	}
}

// command parses the arguments of a subcommand and returns its action.
type command func(args []string, stdout, stderr io.Writer) (func(context.Context, *store.Store) error, error)

var commands = map[string]command{"erase": eraseCommand, "hold": holdCommand, "release": releaseCommand, "holds": holdsCommand}

const usage = `usage: callarchive [-driver sqlite|postgres] [-datasource file-or-connection] command [flags] [arguments]

  erase -address a -name n [-pseudonym p] [-held] [-write]   remove a person from all rows
  hold [-reason text] trace-id                               keep a meeting beyond the retention
  release trace-id                                           end a hold
  holds                                                      list the held meetings

`

func runCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := newFlags("callarchive")
	driver := fs.String("driver", store.SQLite, "the `driver` of the callrecord exporter: "+strings.Join(store.Drivers(), " or "))
	source := fs.String("datasource", "data/calls.db", "its `datasource`: a file, or a connection string; a password comes from PGPASSWORD or ~/.pgpass")
	if err := parseFlags(fs, args, usage, stderr); err != nil {
		return err
	}
	build := commands[fs.Arg(0)]
	if build == nil {
		return usageError{fmt.Errorf("a command is needed, one of %s; got %q", strings.Join(slices.Sorted(maps.Keys(commands)), ", "), fs.Arg(0))}
	}
	action, err := build(fs.Args()[1:], stdout, stderr)
	if err != nil {
		return err
	}
	if *driver == store.SQLite {
		// Open would create a missing file.
		if _, err := os.Stat(*source); err != nil {
			return fmt.Errorf("-datasource: %w", err)
		}
	}
	archive, err := store.Open(ctx, *driver, *source)
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	return errors.Join(action(ctx, archive), archive.Close())
}

func newFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints the error, without the usage
	return fs
}

func parseFlags(fs *flag.FlagSet, args []string, about string, stderr io.Writer) error {
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), about)
		fs.PrintDefaults()
	}
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(stderr)
		fs.Usage()
		return err
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}

// stringList is a flag that may be repeated.
type stringList []string

// String implements flag.Value.
func (t *stringList) String() string { return strings.Join(*t, ", ") }

// Set implements flag.Value.
func (t *stringList) Set(text string) error {
	*t = append(*t, text)
	return nil
}

func eraseCommand(args []string, stdout, stderr io.Writer) (func(context.Context, *store.Store) error, error) {
	var e store.Erasure
	var addresses, people stringList
	fs := newFlags("callarchive erase")
	fs.Var(&addresses, "address", "an `address` of the person, as the archive has it; may be repeated")
	fs.Var(&people, "name", "a `name` of the person; may be repeated")
	fs.StringVar(&e.Pseudonym, "pseudonym", "", "a `text` that replaces names and addresses; without it they are removed")
	fs.BoolVar(&e.Held, "held", false, "also in meetings that are held")
	write := fs.Bool("write", false, "make the changes; without it, print them only")
	if err := parseFlags(fs, args, "usage: callarchive erase -address a -name n [-pseudonym p] [-held] [-write]\n", stderr); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, usageError{fmt.Errorf("erase takes no arguments, got %q: write -address or -name before it", fs.Arg(0))}
	}
	if len(addresses)+len(people) == 0 {
		return nil, usageError{errors.New("erase: an -address or a -name is needed")}
	}
	e.Addresses, e.Names, e.DryRun = addresses, people, !*write
	return func(ctx context.Context, archive *store.Store) error {
		done, err := archive.Erase(ctx, e)
		printErased(stdout, &e, &done)
		return err
	}, nil
}

// printErased prints the changed rows. The names and addresses are for the person who runs
// the command.
func printErased(out io.Writer, e *store.Erasure, done *store.Erased) {
	verb := "changed"
	if e.DryRun {
		verb = "would change"
	}
	var sum int64
	for _, table := range slices.Sorted(maps.Keys(done.Rows)) {
		fmt.Fprintf(out, "%s %d rows of %s\n", verb, done.Rows[table], table)
		sum += done.Rows[table]
	}
	fmt.Fprintf(out, "%s %d rows in all\n", verb, sum)
	for _, found := range []struct {
		words string
		texts map[string]int64
	}{{"names in them", done.Names}, {"addresses in them", done.Addresses}} {
		if len(found.texts) > 0 {
			fmt.Fprintf(out, "%s:\n", found.words)
		}
		for _, text := range slices.Sorted(maps.Keys(found.texts)) {
			fmt.Fprintf(out, "  %q (%d)\n", text, found.texts[text])
		}
	}
	if done.Running > 0 {
		fmt.Fprintf(out, "%d of them run: run this again when they have ended, their next record may name the person\n", done.Running)
	}
	if done.Held > 0 {
		fmt.Fprintf(out, "%d rows are held and were left: -held includes them\n", done.Held)
	}
	if e.DryRun {
		fmt.Fprintln(out, "nothing was changed: add -write to do it")
	}
}

func holdCommand(args []string, stdout, stderr io.Writer) (func(context.Context, *store.Store) error, error) {
	fs := newFlags("callarchive hold")
	reason := fs.String("reason", "", "why, as `text`")
	trace, err := parseTraceID(fs, args, "usage: callarchive hold [-reason text] trace-id\n", stderr)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, archive *store.Store) error {
		if err := archive.Hold(ctx, trace, *reason, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s is held\n", trace)
		return nil
	}, nil
}

func releaseCommand(args []string, stdout, stderr io.Writer) (func(context.Context, *store.Store) error, error) {
	trace, err := parseTraceID(newFlags("callarchive release"), args, "usage: callarchive release trace-id\n", stderr)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, archive *store.Store) error {
		released, err := archive.Release(ctx, trace)
		if err == nil && !released {
			err = fmt.Errorf("%s is not held", trace)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s is not held any more\n", trace)
		return nil
	}, nil
}

func parseTraceID(fs *flag.FlagSet, args []string, about string, stderr io.Writer) (string, error) {
	if err := parseFlags(fs, args, about, stderr); err != nil {
		return "", err
	}
	if fs.NArg() != 1 {
		return "", usageError{fmt.Errorf("%s: one trace id is needed, got %d arguments", strings.TrimPrefix(fs.Name(), "callarchive "), fs.NArg())}
	}
	return fs.Arg(0), nil
}

func holdsCommand(args []string, stdout, stderr io.Writer) (func(context.Context, *store.Store) error, error) {
	if err := parseFlags(newFlags("callarchive holds"), args, "usage: callarchive holds\n", stderr); err != nil {
		return nil, err
	}
	return func(ctx context.Context, archive *store.Store) error {
		v, err := archive.View(ctx)
		if err != nil {
			return err
		}
		holds, err := v.Holds(ctx)
		for _, h := range holds {
			fmt.Fprintf(stdout, "%s\t%s\t%s\n", h.TraceID, h.HeldAt.UTC().Format(time.RFC3339), h.Reason)
		}
		return errors.Join(err, v.Close())
	}, nil
}
