// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// configClaims holds the configurations of running processors. A Collector creates one
// processor for each pipeline that names it, and gives all of them the same configuration. Two
// such processors would each receive half of the records and share one storage.
type configClaims struct {
	mu   sync.Mutex
	held map[*Config]bool
}

var runningConfigs = configClaims{held: make(map[*Config]bool)}

func (c *configClaims) claim(config *Config, id component.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[config] {
		return fmt.Errorf("%q is in more than one pipeline, and each would see half of a call: "+
			"use one logs pipeline with all receivers, or give each pipeline its own, as %s/a and %s/b", id, id.Type(), id.Type())
	}
	c.held[config] = true
	return nil
}

func (c *configClaims) release(config *Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, config)
}
