// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package listener

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
)

// Identity is the Content-Encoding of a plain body.
const Identity = "identity"

// encodings are the valid values of compression_algorithms. confighttp accepts any other name
// too, and panics when a request has it.
var encodings = []string{"", Identity, "deflate", "gzip", "lz4", "snappy", "x-snappy-framed", "zlib", "zstd"}

// CheckHTTP returns an error for each key of an HTTP server with which it could not start or
// serve: transport, endpoint and compression_algorithms. The error for endpoint shows example.
func CheckHTTP(server *confighttp.ServerConfig, example string) error {
	errs := []error{checkEndpoint(&server.NetAddr, example)}
	for i, name := range server.CompressionAlgorithms {
		if !slices.Contains(encodings, name) {
			errs = append(errs, fmt.Errorf("compression_algorithms::%d must be one of %q, got %q", i, encodings, name))
		}
	}
	return errors.Join(errs...)
}

func checkEndpoint(address *confignet.AddrConfig, example string) error {
	switch address.Transport {
	case "", confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6:
		return CheckAddress("endpoint", address.Endpoint, example)
	case confignet.TransportTypeUnix, confignet.TransportTypeUnixPacket, confignet.TransportTypeNpipe:
		if address.Endpoint == "" {
			return fmt.Errorf("endpoint must not be empty: with transport %s it is the name of the socket", address.Transport)
		}
		return nil
	default:
		return fmt.Errorf("transport must be tcp, tcp4, tcp6, unix, unixpacket or npipe, got %q", address.Transport)
	}
}

// PlainBodies makes confighttp accept requests without Content-Encoding, and with identity,
// whatever compression_algorithms lists. Without it, a list without "" refuses them.
func PlainBodies() []confighttp.ToServerOption {
	plain := func(io.ReadCloser) (io.ReadCloser, error) { return nil, nil } // confighttp keeps the body
	return []confighttp.ToServerOption{confighttp.WithDecoder("", plain), confighttp.WithDecoder(Identity, plain)}
}
