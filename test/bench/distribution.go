// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// distribution is a running otelcol-legato.
type distribution struct {
	process *exec.Cmd
	log     *os.File
	ended   chan struct{} // closed when the process has ended
	failure error         // set before ended is closed
}

// binaryPath is the distribution of the source that this program was built from.
func binaryPath(ctx context.Context) (string, error) {
	repository, err := repositoryPath(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(repository, "dist", "otelcol-legato")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run make build first", err)
	}
	return path, nil
}

// repositoryPath is the directory of the source that this program was built from.
func repositoryPath(ctx context.Context) (string, error) {
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/legato-otel/legato").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	return string(bytes.TrimSpace(module)), nil
}

var unitCollection = regexp.MustCompile(`(?m)^Environment=(GOGC=\d+)$`)

// shippedCollection returns the setting of the garbage collector with which the packages start the
// Collector, as NAME=value. A GOGC in this program's environment overrides it.
func shippedCollection(ctx context.Context) (string, error) {
	if percent := os.Getenv("GOGC"); percent != "" {
		return "GOGC=" + percent, nil
	}
	repository, err := repositoryPath(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(repository, "packaging", "legato.service")
	unit, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	setting := unitCollection.FindSubmatch(unit)
	if setting == nil {
		return "", fmt.Errorf("%s has no Environment=GOGC=number", path)
	}
	return string(setting[1]), nil
}

// startDistribution starts it with some arguments and waits until something
// listens on address.
func startDistribution(ctx context.Context, binary, directory, address string, environment, arguments []string) (d *distribution, err error) {
	d = &distribution{ended: make(chan struct{})}
	if d.log, err = os.Create(filepath.Join(directory, "collector.log")); err != nil {
		return nil, err
	}
	d.process = exec.Command(binary, arguments...) // stop ends it, not the end of ctx
	d.process.Dir, d.process.Stderr = directory, d.log
	d.process.Env = append(os.Environ(), environment...)
	if err := d.process.Start(); err != nil {
		return nil, errors.Join(err, d.log.Close())
	}
	go func() {
		d.failure = d.process.Wait()
		close(d.ended)
	}()
	if err := d.await(ctx, address); err != nil {
		_, stopErr := d.stop()
		return nil, errors.Join(err, stopErr)
	}
	return d, nil
}

func (d *distribution) await(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-d.ended:
			return fmt.Errorf("the Collector ended: %w; its log: %s", errors.Join(d.failure, err), d.tail())
		case <-ctx.Done():
			return fmt.Errorf("nothing listens on %s: %w; the Collector's log: %s", address, err, d.tail())
		}
	}
}

// tail is the end of the Collector's log.
func (d *distribution) tail() []byte {
	const enough = 2000
	text, err := os.ReadFile(d.log.Name())
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-enough):]
}

// processUse is the resource use of a process.
type processUse struct {
	used    time.Duration // CPU time
	peak    int64         // bytes of memory that were resident at most
	written int64         // bytes written to the disk, before the stop; Linux only
}

// stop ends the process as an operator does and returns its resource use.
func (d *distribution) stop() (use processUse, err error) {
	defer d.log.Close()
	use.written = writtenBy(d.process.Process.Pid)
	signal := sync.OnceFunc(func() { err = d.process.Process.Signal(syscall.SIGTERM) })
	signal()
	select {
	case <-d.ended:
	case <-time.After(patience):
		err = errors.Join(err, d.process.Process.Kill())
		<-d.ended
	}
	state := d.process.ProcessState
	use.used, use.peak = state.UserTime()+state.SystemTime(), peakMemory(state)
	return use, errors.Join(err, d.failure)
}

// writtenBy returns the bytes that a process has caused to be written to the disk, as
// Linux counts them; 0 elsewhere.
func writtenBy(pid int) int64 {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "io"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if value, found := strings.CutPrefix(line, "write_bytes: "); found {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}
