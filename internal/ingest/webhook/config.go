// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/legato-otel/legato/internal/otel/listener"
)

// CheckServer returns an error that names each invalid key of a receiver's listener.
func CheckServer(server *confighttp.ServerConfig, path string, maxInFlightBytes int64) error {
	errs := []error{listener.CheckHTTP(server, "0.0.0.0:8080")}
	if server.MaxRequestBodySize <= 0 {
		errs = append(errs, fmt.Errorf("max_request_body_size must be positive, got %d", server.MaxRequestBodySize))
	}
	if err := CheckPath(path); err != nil {
		errs = append(errs, err)
	}
	if maxInFlightBytes < server.MaxRequestBodySize {
		errs = append(errs, fmt.Errorf("max_in_flight_bytes must be at least max_request_body_size (%d), got %d", server.MaxRequestBodySize, maxInFlightBytes))
	}
	if server.ReadTimeout < 0 {
		errs = append(errs, fmt.Errorf("read_timeout must not be negative, got %s", server.ReadTimeout))
	}
	return errors.Join(errs...)
}
