// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// file is an entry of the image's file system. Its content is in the file source, or
// in content; without both it is a directory.
type file struct {
	path    string
	mode    int64
	user    int // group likewise
	source  string
	content []byte
}

func (f file) isDirectory() bool { return f.source == "" && f.content == nil }

// archive returns the files as an uncompressed tar, with this time on each.
func archive(files []file, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := f.write(w, at); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (f file) write(w *tar.Writer, at time.Time) error {
	content := f.content
	if f.source != "" {
		var err error
		if content, err = os.ReadFile(f.source); err != nil {
			return err
		}
	}
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Uid: f.user, Gid: f.user,
		Size: int64(len(content)), ModTime: at, Format: tar.FormatPAX,
	}
	if f.isDirectory() {
		header.Typeflag, header.Name = tar.TypeDir, f.path+"/"
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

// layer makes a gzipped layer of a tar.
func layer(content []byte) (v1.Layer, error) {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}
