// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
	"github.com/legato-otel/legato/cmd/callsim/internal/verify"
)

// files is a flag that may come several times.
type files []string

func (f *files) String() string { return fmt.Sprint([]string(*f)) }

func (f *files) Set(name string) error {
	*f = append(*f, name)
	return nil
}

// comparison is the data that `callsim compare` compares with the truth.
type comparison struct {
	trust          tlsOptions
	truth          string
	spans, records files
	archive        string
	user, password string
	limit          int
}

// runCompare is `callsim compare`: it compares the output of a Collector with the truth of a run, and
// returns 1 if anything is missing, there twice, different or unknown.
func runCompare(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c comparison
	fs := flag.NewFlagSet("callsim compare", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&c.truth, "truth", "", "`file` that callsim -truth wrote")
	fs.Var(&c.spans, "spans", "`file` of the file exporter with spans; may be repeated")
	fs.Var(&c.records, "records", "`file` of the file exporter with log records; may be repeated")
	fs.StringVar(&c.archive, "archive", "", "`URL` of the page of a call archive, whose API is read")
	fs.StringVar(&c.user, "archive-user", "", "`name` for the archive")
	fs.StringVar(&c.password, "archive-password", "", "its `password`")
	fs.IntVar(&c.limit, "limit", 20, "how many findings of each kind are printed")
	c.trust.flags(fs)
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, "callsim compare -truth FILE [-spans FILE] [-records FILE] [-archive URL]\n")
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		return 0
	}
	if err == nil {
		err = c.check(fs.NArg())
	}
	if err == nil {
		err = c.trust.load()
	}
	if err != nil {
		fmt.Fprintf(stderr, "callsim: %v\n", err)
		return exitUsage
	}
	equal, err := c.run(ctx, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "callsim: compare: %v\n", err)
		return exitFailed
	}
	if !equal {
		return exitFailed
	}
	return 0
}

func (c *comparison) check(arguments int) error {
	switch {
	case arguments > 0:
		return errors.New("compare takes flags alone; callsim compare -h lists them")
	case c.truth == "":
		return errors.New("-truth: must not be empty")
	case len(c.spans) == 0 && len(c.records) == 0 && c.archive == "":
		return errors.New("one of -spans, -records and -archive must be there")
	case c.limit < 0:
		return fmt.Errorf("-limit: must be at least 0, got %d", c.limit)
	}
	return nil
}

// run prints the differences. It returns false if anything does.
func (c *comparison) run(ctx context.Context, stdout io.Writer) (equal bool, err error) {
	is, err := loadTruth(c.truth)
	if err != nil {
		return false, err
	}
	equal = true
	show := func(subject string, r *verify.Report) error {
		if len(r.Compared) == 0 {
			return fmt.Errorf("%s: the truth has nothing that could be compared: all of it is open or lost records", subject)
		}
		fmt.Fprintf(stdout, "%s\n", subject)
		equal = equal && len(r.Findings) == 0
		return r.Write(stdout, c.limit)
	}
	if len(c.records) > 0 {
		out, err := readOutput(c.records)
		if err != nil {
			return false, err
		}
		if err := show("records", verify.Records(is, out.Records)); err != nil {
			return false, err
		}
	}
	if len(c.spans) > 0 {
		out, err := readOutput(c.spans)
		if err != nil {
			return false, err
		}
		if err := show("spans", verify.Spans(is, out.Objects)); err != nil {
			return false, err
		}
	}
	if c.archive != "" {
		rows, err := c.readArchive(ctx)
		if err != nil {
			return false, err
		}
		if err := show("archive", verify.Rows(is, rows)); err != nil {
			return false, err
		}
	}
	return equal, nil
}

func loadTruth(name string) (*truth.Truth, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("-truth: %w", err)
	}
	is := new(truth.Truth)
	if err := json.Unmarshal(content, is); err != nil {
		return nil, fmt.Errorf("-truth: %s is no truth file of callsim: %w", name, err)
	}
	return is, nil
}

func readOutput(names files) (*verify.Output, error) {
	out := new(verify.Output)
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		err = out.ReadFile(file)
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

func (c *comparison) readArchive(ctx context.Context) ([]verify.Object, error) {
	u, err := drillURL("-archive", c.archive)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: c.trust.config, Proxy: http.ProxyFromEnvironment}}
	defer client.CloseIdleConnections()
	archive := verify.Archive{URL: u, User: c.user, Password: c.password, Client: client}
	return archive.Read(ctx)
}
