// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// child is a process that serves one kind.
type child struct {
	*process
	kind    kind
	address string
}

// newChild starts this program once more, as the receiver.
func newChild(ctx context.Context, k kind, profile string) (*child, error) {
	started, err := startProcess(ctx, "-serve", k.name, "-cpuprofile", profile)
	if err != nil {
		return nil, err
	}
	c := &child{process: started, kind: k}
	if _, err := fmt.Fscanf(c.answers, readyFormat, &c.address); err != nil {
		return nil, errors.Join(fmt.Errorf("receiver did not start: %w", err), c.stop())
	}
	return c, nil
}

func (c *child) send(command string) error {
	_, err := fmt.Fprintln(c.commands, command)
	return err
}

// state is the report of a child.
type state struct {
	used      time.Duration
	delivered int
}

func (c *child) report() (s state, err error) {
	if err := c.send(commandReport); err != nil {
		return s, err
	}
	_, err = fmt.Fscanf(c.answers, reportFormat, &s.used, &s.delivered)
	return s, err
}

// load posts for a time and returns the CPU time the receiver used for it and
// the number of records. It fails unless all of them were delivered.
func (c *child) load(ctx context.Context, from client, batch int, d time.Duration) (used time.Duration, records int, err error) {
	before, err := c.report()
	if err != nil {
		return 0, 0, err
	}
	posts, err := from.load(ctx, d)
	if err != nil {
		return 0, 0, err
	}
	after, err := c.report()
	if err != nil {
		return 0, 0, err
	}
	if err := c.kind.verify(posts, batch, after.delivered-before.delivered); err != nil {
		return 0, 0, err
	}
	return after.used - before.used, posts * batch, nil
}
