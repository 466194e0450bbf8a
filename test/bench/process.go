// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
)

// process is this program run once more. It ends when its input does, so that
// none is left behind when the parent dies.
type process struct {
	cmd      *exec.Cmd
	commands io.WriteCloser
	answers  *bufio.Reader
}

func startProcess(ctx context.Context, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
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
	return &process{cmd: cmd, commands: commands, answers: bufio.NewReader(answers)}, nil
}

// stop lets the process end by itself and waits for it.
func (p *process) stop() error {
	return errors.Join(p.commands.Close(), p.cmd.Wait())
}

// kill ends the process as a power cut would: all of it has ended.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	// That it was killed, and that its input is closed then, is no news.
	_ = p.cmd.Wait()
	return err
}
