// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// part is one thing to measure, with a report of its own.
type part struct {
	name, title string
	// bench measures and returns the report.
	bench func(ctx context.Context, o options, c *corpus) (string, error)
}

// parts in the order of the report. Some need no corpus: needsCorpus.
var parts = []part{
	{"receiver", "Receiver", func(ctx context.Context, o options, _ *corpus) (string, error) { return benchReceiver(ctx, o) }},
	{"records", "Stitching a record", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newRecordsPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"memory", "Memory", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newMemoryPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"stalls", "Stalls", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newStallsPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"growth", "Receiver and stitching", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newGrowthPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"path", "The whole path", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newPathPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"pipeline", "The pipeline of many bridges", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newPipelinePlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"capacity", "Capacity of one Collector", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newCapacityPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"storage", "Storage", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newStoragePlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"archive", "Archive", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newArchivePlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"page", "The page of the archive", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newPagePlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"restart", "Restart", func(ctx context.Context, o options, c *corpus) (string, error) {
		p := newRestartPlan(o)
		return reported(p.bench(ctx, c))(p.report)
	}},
	{"events", "Events", func(ctx context.Context, o options, _ *corpus) (string, error) {
		p := newEventsPlan(o)
		return reported(p.bench(ctx))(p.report)
	}},
	{"syslog", "Syslog", func(ctx context.Context, o options, _ *corpus) (string, error) {
		p := newSyslogPlan(o)
		return reported(p.bench(ctx))(p.report)
	}},
}

// reported renders the result of a measurement, if there is one.
func reported[T any](measured T, err error) func(report func(T) string) (string, error) {
	return func(report func(T) string) (string, error) {
		if err != nil {
			return "", err
		}
		return report(measured), nil
	}
}

func partNames() []string {
	names := make([]string, 0, len(parts))
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// benchParts runs the requested measurements and prints each report as it comes.
func benchParts(ctx context.Context, o options) (err error) {
	var c *corpus
	if slices.ContainsFunc(o.parts, needsCorpus) {
		directory, err := os.MkdirTemp(o.directory, "bench")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
		if c, err = newCorpus(ctx, directory); err != nil {
			return err
		}
	}
	if err := printOut(machine()); err != nil {
		return err
	}
	for _, p := range parts {
		if !slices.Contains(o.parts, p.name) {
			continue
		}
		begun := time.Now()
		text, err := p.bench(ctx, o, c)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		progress("%s took %s", p.name, time.Since(begun).Round(time.Second))
		if err := printOut("\n## " + p.title + "\n\n" + text); err != nil {
			return err
		}
	}
	return nil
}

func printOut(text string) error {
	_, err := os.Stdout.WriteString(text)
	return err
}

// chosen returns the parts a list names, all for an empty one.
func chosen(list string) ([]string, error) {
	if list == "" {
		return partNames(), nil
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("must be of %s, got %q", strings.Join(partNames(), ", "), name)
		}
	}
	return names, nil
}
