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
	encodingIdentity = "identity" // no encoding
	encodingZstd     = "zstd"
	// maxWindow bounds the memory of a zstd decoder, in bytes. A frame announces its
	// window itself: without a bound, a body of 14 bytes takes half a gigabyte.
	maxZstdWindow = 8 << 20
)

// DefaultEncodings are the accepted encodings of a body by default. snappy is not among
// them: confighttp decodes such a body as a whole, without a bound.
func DefaultEncodings() []string { return []string{"", "gzip", "zlib", "deflate", encodingZstd} }

// decoderOptions replace decoders of confighttp, for the configured encodings.
func decoderOptions(configured []string) []confighttp.ToServerOption {
	options := []confighttp.ToServerOption{
		confighttp.WithDecoder(encodingIdentity, func(io.ReadCloser) (io.ReadCloser, error) { return nil, nil }),
	}
	if configured == nil || slices.Contains(configured, encodingZstd) {
		options = append(options, confighttp.WithDecoder(encodingZstd, newZstdReader))
	}
	return options
}

// zstdReader closes both the decoder and the body.
type zstdReader struct {
	*zstd.Decoder
	body io.ReadCloser
}

func newZstdReader(body io.ReadCloser) (io.ReadCloser, error) {
	decoder, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return nil, fmt.Errorf("read a zstd body: %w", err)
	}
	return zstdReader{decoder, body}, nil
}

func (r zstdReader) Close() error {
	r.Decoder.Close()
	return r.body.Close()
}
