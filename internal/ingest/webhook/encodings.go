// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/legato-otel/legato/internal/otel/listener"
)

const (
	encodingZstd = "zstd"
	// maxWindow bounds the memory of a zstd decoder, in bytes. A frame announces its
	// window itself: without a bound, a body of 14 bytes takes half a gigabyte.
	maxZstdWindow = 8 << 20
)

// DefaultEncodings are the accepted encodings of a body by default. snappy is not among
// them: confighttp decodes such a body as a whole, without a bound.
func DefaultEncodings() []string { return []string{"", "gzip", "zlib", "deflate", encodingZstd} }

// decoderOptions replace decoders of confighttp, for plain bodies and for the configured
// encodings.
func decoderOptions(configured []string) []confighttp.ToServerOption {
	options := listener.PlainBodies()
	if configured == nil || slices.Contains(configured, encodingZstd) {
		options = append(options, confighttp.WithDecoder(encodingZstd, newZstdReader))
	}
	return options
}

// namesOf returns the accepted values of Content-Encoding, identity last.
func namesOf(configured []string) []string {
	var encodings []string
	for _, name := range configured {
		if name != "" && name != listener.Identity && !slices.Contains(encodings, name) {
			encodings = append(encodings, name)
		}
	}
	return append(encodings, listener.Identity)
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
