// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import "go.opentelemetry.io/collector/component"

// Config of the logtospan connector. The shape of the log records is all there
// is to it, and that is fixed.
type Config struct {
	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config { return &Config{} }
