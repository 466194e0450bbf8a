// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// profiledDistribution is the whole Collector under the load of the capacity part, as
// something to profile. The distribution has no pprof extension: it is built once more
// for this, with a file that writes the profile.
const profiledDistribution = "distribution"

// profiler becomes a file of the distribution's main package. It profiles the load, and
// not the start before it.
const profiler = `package main

import (
	"os"
	"runtime/pprof"
	"time"
)

func init() {
	length, err := time.ParseDuration(os.Getenv("LEGATO_PROFILE_TIME"))
	if err != nil {
		panic(err)
	}
	file, err := os.Create(os.Getenv("LEGATO_PROFILE"))
	if err != nil {
		panic(err)
	}
	time.AfterFunc(3*time.Second, func() {
		_ = pprof.StartCPUProfile(file)
		time.Sleep(length)
		pprof.StopCPUProfile()
		_ = file.Close()
	})
}
`

// profileDistribution makes one run of the capacity part with a profile.
func profileDistribution(ctx context.Context, o options) (err error) {
	directory, err := os.MkdirTemp(o.directory, "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	c, err := newCorpus(ctx, directory)
	if err != nil {
		return err
	}
	if o.profile, err = filepath.Abs(o.profile); err != nil {
		return err
	}
	p := newCapacityPlan(o)
	p.bridges, p.rates = p.bridges[len(p.bridges)-1:], []int{o.rate}
	if o.deployment == "" {
		p.of = nameShipped
	}
	if p.binary, err = buildProfiled(ctx, directory); err != nil {
		return err
	}
	p.environment = []string{"LEGATO_PROFILE=" + o.profile, "LEGATO_PROFILE_TIME=" + p.time.String()}
	steps, err := p.bench(ctx, c)
	if err != nil {
		return err
	}
	_, err = fmt.Print(p.report(steps), "\nprofile in ", o.profile, "\n")
	return err
}

// buildProfiled builds the distribution with the profiler, from the source that make
// build has written.
func buildProfiled(ctx context.Context, directory string) (binary string, err error) {
	shipped, err := binaryPath(ctx)
	if err != nil {
		return "", err
	}
	source := filepath.Join(filepath.Dir(filepath.Dir(shipped)), "build", "otelcol-legato")
	file, overlay := filepath.Join(directory, "profiler.go"), filepath.Join(directory, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(source, "profiler.go"): file}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(file, []byte(profiler), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	binary = filepath.Join(directory, "otelcol-legato")
	build := exec.CommandContext(ctx, "go", "-C", source, "build", "-trimpath", "-overlay", overlay, "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the Collector with a profiler: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return binary, nil
}
