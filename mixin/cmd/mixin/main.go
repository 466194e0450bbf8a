// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command mixin writes the Prometheus rules, the dashboards, and the queries of the runbooks. See the
// package mixin.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/mixin"
)

func main() {
	out := flag.String("out", "out", "directory to write to")
	file := flag.String("config", "", "YAML file with the keys that differ from the default configuration")
	runbooks := flag.String("runbooks", "", "directory of the runbooks, whose queries are written anew")
	printConfig := flag.Bool("print-config", false, "print the configuration instead")
	flag.Parse()
	if err := run(*out, *file, *runbooks, *printConfig); err != nil {
		fmt.Fprintln(os.Stderr, "mixin:", err)
		os.Exit(1)
	}
}

func run(out, file, runbooks string, printConfig bool) error {
	config, err := load(file)
	if err != nil {
		return err
	}
	if printConfig {
		return yaml.NewEncoder(os.Stdout).Encode(config)
	}
	for name, groups := range map[string][]mixin.Group{"alerts.yaml": mixin.Alerts(config), "recordings.yaml": mixin.Recordings(config)} {
		content, err := mixin.File(groups)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(out, name), content); err != nil {
			return err
		}
	}
	for _, board := range mixin.Boards(config) {
		content, err := board.JSON(config)
		if err != nil {
			return fmt.Errorf("%s: %w", board.Title, err)
		}
		if err := write(filepath.Join(out, "dashboards", board.UID+".json"), content); err != nil {
			return err
		}
		if content, err = board.VMUI(); err != nil || content == nil {
			if err != nil {
				return fmt.Errorf("%s: %w", board.Title, err)
			}
			continue
		}
		if err := write(filepath.Join(out, "vmui", board.UID+".json"), content); err != nil {
			return err
		}
	}
	if runbooks == "" {
		return nil
	}
	pages, err := mixin.Runbooks(runbooks, mixin.Alerts(config))
	for name, page := range pages {
		err = errors.Join(err, write(filepath.Join(runbooks, name), []byte(page)))
	}
	return err
}

// load returns the default configuration with the keys of a file over it.
func load(file string) (mixin.Config, error) {
	config := mixin.DefaultConfig()
	if file == "" {
		return config, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return config, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&config); err != nil {
		return config, fmt.Errorf("%s: %w", file, err)
	}
	return config, nil
}

func write(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // Prometheus reads it as another user
		return err
	}
	return os.WriteFile(file, content, 0o644) //nolint:gosec // Prometheus reads it as another user
}
