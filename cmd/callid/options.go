// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// options are the flags and arguments after they were checked.
type options struct {
	kinds   []string
	oneKind bool // a kind was chosen
	json    bool
	ids     []string
}

// parseOptions parses the command line. An error names the flag or id, its value and the
// problem.
func parseOptions(args []string, stderr io.Writer) (opts options, err error) {
	var kind string
	fs := flag.NewFlagSet("callid", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints the error, without the usage
	fs.StringVar(&kind, "kind", "", "print the ids of this `kind` only: "+knownKinds())
	fs.BoolVar(&opts.json, "json", false, "print one JSON object a line")
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "usage: callid [-kind kind] [-json] id...\nan id of - reads ids from standard input, one a line; -- ends the flags\n")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stderr)
			fs.Usage()
		}
		return opts, err
	}
	opts.kinds = names.Kinds()
	if opts.oneKind = isSet(fs, "kind"); opts.oneKind {
		full, found := findKind(kind)
		if !found {
			return opts, fmt.Errorf("-kind: unknown kind %q; known are %s", kind, knownKinds())
		}
		opts.kinds = []string{full}
	}
	opts.ids, err = checkIDs(fs)
	return opts, err
}

func isSet(fs *flag.FlagSet, name string) (found bool) {
	fs.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// checkIDs returns the ids without the surrounding blanks that copying adds.
func checkIDs(fs *flag.FlagSet) (ids []string, err error) {
	if fs.NArg() == 0 {
		return nil, errors.New("no id given (callid -h for help)")
	}
	for _, arg := range fs.Args() {
		id := strings.TrimSpace(arg)
		switch {
		case id == "":
			return nil, fmt.Errorf("empty id, got %q", arg)
		case isFlag(fs, id):
			// Flags end at the first id; callid would hash this one.
			return nil, fmt.Errorf("flags stand before the ids, got %q after one", id)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// isFlag reports whether an argument is a misplaced flag rather than an id: the id of a SIP
// dialog may begin with a hyphen.
func isFlag(fs *flag.FlagSet, id string) bool {
	name, hyphen := strings.CutPrefix(id, "-")
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
	return hyphen && fs.Lookup(name) != nil
}

// findKind returns the kind with this full name or last part.
func findKind(name string) (kind string, found bool) {
	for _, kind := range names.Kinds() {
		if name == kind || name == shortKind(kind) {
			return kind, true
		}
	}
	return "", false
}

func shortKind(kind string) string { return kind[strings.LastIndexByte(kind, '.')+1:] }

func knownKinds() string {
	var all []string
	for _, kind := range names.Kinds() {
		all = append(all, shortKind(kind)+" ("+kind+")")
	}
	return strings.Join(all, ", ")
}
