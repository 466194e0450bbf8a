// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command image writes the container image of the distribution, for scripts/image.sh:
//
//	image -programs <directory> -configuration config.yaml -version 0.1.0 -out dist/image
//
// The directory of the programs has one directory for each architecture.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/legato-otel/legato/packaging/image"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var (
		source image.Source
		out    string
		epoch  int64
	)
	fs := flag.NewFlagSet("image", flag.ContinueOnError)
	fs.StringVar(&source.Programs, "programs", "", "take the programs from this `directory`, which has one for each architecture")
	fs.StringVar(&source.Configuration, "configuration", "config.yaml", "put this `file` into the image as /etc/legato/config.yaml")
	fs.StringVar(&source.Version, "version", "", "the `version` of the distribution")
	fs.StringVar(&source.Revision, "revision", "", "the `commit`, for a label")
	fs.Int64Var(&epoch, "epoch", 0, "time of all files, in `seconds` since 1970")
	fs.StringVar(&out, "out", "", "write into this `directory`")
	if err := fs.Parse(args); err != nil {
		return err
	}
	source.Time = time.Unix(epoch, 0).UTC()
	directories, err := filepath.Glob(filepath.Join(source.Programs, "*"))
	if err != nil || len(directories) == 0 {
		return fmt.Errorf("-programs: no directory of an architecture in %q", source.Programs)
	}
	var images []*image.Image
	for _, directory := range directories {
		s := source
		s.Programs, s.Architecture = directory, filepath.Base(directory)
		made, err := image.New(s)
		if err != nil {
			return err
		}
		images = append(images, made)
	}
	digest, err := image.Write(out, source.Version, images)
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}
