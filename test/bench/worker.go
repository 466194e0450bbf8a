// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"time"
)

// A worker is a process that holds one processor with its state and executes orders: one line
// of JSON for each order and each answer. It lives as long as the measurement, so that a
// million legs are opened once, and workers take turns.

// setup is the configuration of a worker.
type setup struct {
	// Job is one of jobs.
	Job string `json:"job"`
	// Kind of processor, or of storage.
	Kind string `json:"kind,omitempty"`
	// Corpus is the file with callsim's records.
	Corpus string `json:"corpus,omitempty"`
	// Open is how many legs or traces are open at once.
	Open int `json:"open,omitempty"`
	// Callers is how many calls are under way at once.
	Callers int `json:"callers,omitempty"`
	// Dialogs are lived too: the SIP calls of legs.
	Dialogs bool `json:"dialogs,omitempty"`
	// Spans are made of the stitched records.
	Spans bool `json:"spans,omitempty"`
	// Bare legs get no updates.
	Bare bool `json:"bare,omitempty"`
	// MaxOpen is callstitch's.
	MaxOpen time.Duration `json:"max_open,omitempty"`
	// Store is where state is kept: one of the storage kinds, in Directory.
	Store     string `json:"store,omitempty"`
	Directory string `json:"directory,omitempty"`
	// Keys is how many values there are where each has a key of its own.
	Keys int `json:"keys,omitempty"`
	// Address of the Call Bridge whose events are followed, and how many sockets
	// it may be given.
	Address string `json:"address,omitempty"`
	Sockets int    `json:"sockets,omitempty"`
	// Profile is the file for a CPU profile.
	Profile string `json:"profile,omitempty"`
}

// order is one line to a worker.
type order struct {
	Do string `json:"do"`
	// Count of the objects of the order.
	Count int `json:"count,omitempty"`
	// Time to do it for, at least.
	Time time.Duration `json:"time,omitempty"`
	// Batch is how many records a call has.
	Batch int `json:"batch,omitempty"`
	// Callers is how many of the worker's callers call, if not all.
	Callers int `json:"callers,omitempty"`
	// Payload is how many bytes an append log writes for a record.
	Payload float64 `json:"payload,omitempty"`
	// Pace is the time from one call to the next; 0 means at once.
	Pace time.Duration `json:"pace,omitempty"`
	// Watch how long each call takes; for one caller.
	Watch bool `json:"watch,omitempty"`
}

// answer is one line from a worker.
type answer struct {
	Error string `json:"error,omitempty"`
	// Used is the CPU time, Wall the time it took.
	Used time.Duration `json:"used,omitempty"`
	Wall time.Duration `json:"wall,omitempty"`
	// Records or spans that went in.
	Records int `json:"records,omitempty"`
	// Open is how many legs or traces are held, Objects how many with calls and
	// dialogs, and Dialogs how many of them are those.
	Open    int    `json:"open,omitempty"`
	Objects int    `json:"objects,omitempty"`
	Dialogs int    `json:"dialogs,omitempty"`
	Memory  memory `json:"memory,omitzero"`
	Stalls  stalls `json:"stalls,omitzero"`
	Stored  stored `json:"stored,omitzero"`
	// Address of a receiver.
	Address string `json:"address,omitempty"`
	// Delivered records.
	Delivered int64 `json:"delivered,omitempty"`
	// Again is how often a call was refused and made once more.
	Again int `json:"again,omitempty"`
}

// job executes the orders of a worker.
type job interface {
	do(ctx context.Context, o order) (answer, error)
	// close is called when there are no more orders.
	close(ctx context.Context) error
}

// work is the process of a worker.
func work(ctx context.Context, encoded string, orders io.Reader, answers io.Writer) (err error) {
	var s setup
	if err := json.Unmarshal([]byte(encoded), &s); err != nil {
		return fmt.Errorf("-work: %w", err)
	}
	begin, ok := jobs[s.Job]
	if !ok {
		return fmt.Errorf("-work: no job %q", s.Job)
	}
	j, err := begin(ctx, s)
	if err != nil {
		return err
	}
	// An interrupt reaches this process too: it must not cut the shutdown short.
	defer func() { err = errors.Join(err, j.close(context.WithoutCancel(ctx))) }()
	defer pprof.StopCPUProfile()
	to := json.NewEncoder(answers)
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		a, err := obeyOrder(ctx, s, j, o)
		if err != nil {
			a.Error = err.Error()
		}
		if err := to.Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// obeyOrder executes the orders that every worker knows, and leaves the others to the job.
func obeyOrder(ctx context.Context, s setup, j job, o order) (a answer, err error) {
	switch o.Do {
	case "profile":
		return a, startProfile(s.Profile)
	case "stop profile":
		pprof.StopCPUProfile()
		return a, nil
	case "memory":
		a.Memory, err = measureMemory()
		return a, err
	default:
		return j.do(ctx, o)
	}
}

// worker is the parent's end.
type worker struct {
	*process
	setup setup
}

func startWorker(ctx context.Context, s setup) (*worker, error) {
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	started, err := startProcess(ctx, "-work", string(encoded))
	if err != nil {
		return nil, err
	}
	return &worker{process: started, setup: s}, nil
}

// request sends an order and waits for the answer.
func (w *worker) request(o order) (a answer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s %s of %d: %s: %w", w.setup.Job, w.setup.Kind, w.setup.Open, o.Do, err)
		}
	}()
	line, err := json.Marshal(o)
	if err != nil {
		return a, err
	}
	if _, err := fmt.Fprintf(w.commands, "%s\n", line); err != nil {
		return a, err
	}
	if line, err = w.answers.ReadBytes('\n'); err != nil {
		return a, fmt.Errorf("no answer: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// once starts a worker for a few orders and returns the last answer.
func once(ctx context.Context, s setup, orders ...order) (a answer, err error) {
	w, err := startWorker(ctx, s)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	for _, o := range orders {
		if a, err = w.request(o); err != nil {
			return a, err
		}
	}
	return a, nil
}
