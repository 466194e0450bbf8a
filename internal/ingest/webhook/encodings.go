// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/config/confighttp"
)

const (
	identity     = "identity" // a body that is not encoded
	encodingZstd = "zstd"
	// maxWindow bounds the memory of a zstd decoder, in bytes. A frame announces its
	// window itself: without a bound, a body of 14 bytes takes half a gigabyte.
	maxWindow = 8 << 20
)

// DefaultEncodings are the encodings of a body that are taken unless configured
// otherwise. snappy is not among them: confighttp reads and decodes such a body as
// a whole before anybody can bound it.
func DefaultEncodings() []string { return []string{"", "gzip", "zlib", "deflate", encodingZstd} }

// decoders are those that differ from confighttp's, for the configured encodings.
func decoders(configured []string) []confighttp.ToServerOption {
	options := []confighttp.ToServerOption{
		confighttp.WithDecoder(identity, func(io.ReadCloser) (io.ReadCloser, error) { return nil, nil }),
	}
	if configured == nil || slices.Contains(configured, encodingZstd) {
		options = append(options, confighttp.WithDecoder(encodingZstd, newZstdReader))
	}
	return options
}

// zstdReader closes the decoder and the body behind it.
type zstdReader struct {
	*zstd.Decoder
	body io.ReadCloser
}

func newZstdReader(body io.ReadCloser) (io.ReadCloser, error) {
	decoder, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("read a zstd body: %w", err)
	}
	return zstdReader{decoder, body}, nil
}

func (r zstdReader) Close() error {
	r.Decoder.Close()
	return r.body.Close()
}
