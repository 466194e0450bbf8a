// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// child is a process that serves one kind.
type child struct {
	kind     kind
	address  string
	cmd      *exec.Cmd
	commands io.WriteCloser
	answers  *bufio.Reader
}

// newChild starts this program once more, as the receiver.
func newChild(ctx context.Context, k kind, profile string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", k.name, "-cpuprofile", profile)
	cmd.Stderr = os.Stderr
	commands, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{kind: k, cmd: cmd, commands: commands, answers: bufio.NewReader(answers)}
	if _, err := fmt.Fscanf(c.answers, readyFormat, &c.address); err != nil {
		return nil, errors.Join(fmt.Errorf("receiver did not start: %w", err), c.stop())
	}
	return c, nil
}

// stop lets the receiver shut down and waits for its process.
func (c *child) stop() error {
	return errors.Join(c.commands.Close(), c.cmd.Wait())
}

func (c *child) tell(command string) error {
	_, err := fmt.Fprintln(c.commands, command)
	return err
}

// state is what a child reports.
type state struct {
	used      time.Duration
	delivered int
}

func (c *child) report() (s state, err error) {
	if err := c.tell(commandReport); err != nil {
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
